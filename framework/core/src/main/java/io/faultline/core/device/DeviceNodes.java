// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Parking;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.kernel.DeviceInfo;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of {@code /dev}: those that are there, those whose driver is gone but that are open still, and
 * those that somebody waits for. Thread-safe; who changes several at once holds this object's monitor,
 * and calls no driver meanwhile.
 */
final class DeviceNodes {
  /** Where device nodes live: devtmpfs, on a device of its own. */
  private static final DeviceNumber DEVTMPFS = new DeviceNumber(0, 6);

  private final Map<String, DeviceNode> byPath = new ConcurrentHashMap<>();
  private final Map<DeviceNumber, DeviceNode> byNumber = new ConcurrentHashMap<>();
  private final DeviceNumbers numbers = new DeviceNumbers(byNumber);
  /** Nodes whose driver is gone, as long as files are open. */
  private final Set<DeviceNode> gone = ConcurrentHashMap.newKeySet();
  /** Drivers that may come back, by the paths of their nodes, for those who want to open them. */
  private final Map<String, Driver> awaited = new ConcurrentHashMap<>();

  // Guarded by this object's monitor.
  private long inodes = 1;

  /** The node that is there, or null. */
  @Nullable DeviceNode at(String path) {
    return byPath.get(path);
  }

  /** The node that is there, or null. */
  @Nullable DeviceNode at(DeviceNumber number) {
    return byNumber.get(number);
  }

  /** The node that is there, else one that is gone but in use, or null. */
  @Nullable DeviceNode find(String path) {
    DeviceNode node = byPath.get(path);
    if (node == null) {
      node = gone.stream().filter(g -> g.owner().equals(path)).findFirst().orElse(null);
    }
    // A driver that comes back is in its place before what was left of it is among the gone no more.
    return node != null ? node : byPath.get(path);
  }

  /** A snapshot of all by path, those that are gone but in use included. */
  List<DeviceInfo> list() {
    // In this order: one that leaves meanwhile, or comes back, is seen in one of the places.
    Set<DeviceNode> nodes = new HashSet<>(byPath.values());
    nodes.addAll(gone);
    Set<String> paths = nodes.stream().map(DeviceNode::owner).collect(Collectors.toSet());
    byPath.values().stream().filter(node -> !paths.contains(node.owner())).forEach(nodes::add);
    return nodes.stream().map(DeviceNode::info).sorted(Comparator.comparing(DeviceInfo::path))
        .toList();
  }

  /** The drivers of the nodes that are there. */
  List<Driver> drivers() {
    return byPath.values().stream().map(DeviceNode::driver).distinct().toList();
  }

  /** The nodes of these paths that are gone but in use. */
  List<DeviceNode> left(List<String> paths) {
    return gone.stream().filter(node -> paths.contains(node.owner())).toList();
  }

  /** Which numbers are free. */
  DeviceNumbers numbers() {
    return numbers;
  }

  /** That of a node of the same name and number that is left, or else a new one. */
  synchronized Inode inode(String path, DeviceNumber number, List<DeviceNode> left) {
    for (DeviceNode node : left) {
      Inode inode = node.inode();
      if (inode != null && node.owner().equals(path) && node.number().equals(number)) {
        return inode;
      }
    }
    return Inode.builder(FileKind.CHARACTER_DEVICE, path)
        .identity(DEVTMPFS, ++inodes).fileSystem("devtmpfs", false).represents(number).build();
  }

  /** Adds a driver's nodes, in the place of others of the same names and numbers. */
  synchronized void add(Driver driver) {
    for (DeviceNode node : driver.nodes()) {
      byPath.put(node.owner(), node);
      byNumber.put(node.number(), node);
    }
  }

  /** Takes a node out, if no other has its place. */
  synchronized void remove(DeviceNode node) {
    byPath.remove(node.owner(), node);
    byNumber.remove(node.number(), node);
  }

  /** Takes the nodes out of a driver that begins to leave. */
  synchronized void leave(Driver driver) {
    for (DeviceNode node : driver.nodes()) {
      // First: who looks without the monitor finds it in one of the two.
      gone.add(node);
      remove(node);
      if (node.inode() != null && driver.parks()) {
        awaited.put(node.owner(), driver);
      }
    }
    awaited.values().removeIf(other -> other.isGone() && !other.parks());
  }

  /** A gone device whose last file is closed leaves no trace. */
  void fileClosed(DeviceNode node) {
    if (node.driver().isGone() && node.files().isEmpty()) {
      gone.remove(node);
    }
  }

  /** Who waits for a driver of these paths looks again. */
  void awake(List<String> paths) {
    for (String path : paths) {
      Driver before = awaited.remove(path);
      if (before != null) {
        before.awake();
      }
    }
  }

  /** See {@link DeviceTable#parking}: who finds a driver that begins to leave comes here. */
  synchronized @Nullable Parking parking(String path) {
    Driver driver = awaited.get(path);
    if (driver == null || byPath.containsKey(path)) {
      return null;
    }
    boolean waits =
        driver.isGone()
            ? driver.isInGap() || driver.parks() && gone.contains(driver.nodeOf(path))
            : driver.parks();
    if (!waits) {
      awaited.remove(path, driver);
      return null;
    }
    return driver;
  }

  /**
   * Whether a bundle may come back to what its drivers left: one is about to leave, is waited for, or has
   * left areas. Takes no lock.
   *
   * @param name symbolic
   */
  boolean isAwaited(String name) {
    return gone.stream().anyMatch(node -> isOf(node.driver(), name)
        && (!node.driver().isGone() || node.isMapped()))
        || awaited.values().stream().anyMatch(driver -> isOf(driver, name)
            && (!driver.isGone() || driver.isInGap()));
  }

  private static boolean isOf(Driver driver, String name) {
    return driver.registration().driver().equals(name);
  }
}
