// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.DeviceNumber;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UpgradeException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Who takes whose place in the table: which nodes a successor gets, and that nobody else has them. */
final class Successors {
  private final Kernel kernel;
  private final DeviceNodes nodes;
  private final BiFunction<DeviceRegistration, MmapProvider, Driver> create;

  /**
   * @param create makes a driver that is in no table yet
   */
  Successors(
      Kernel kernel, DeviceNodes nodes,
      BiFunction<DeviceRegistration, MmapProvider, Driver> create) {
    this.kernel = kernel;
    this.nodes = nodes;
    this.create = create;
  }

  /**
   * The new drivers beside those that they follow; none is in the table yet.
   *
   * @throws UpgradeException when a successor's nodes do not match its predecessor's, or another driver
   *     has their names or numbers
   */
  List<Exchange.Pair> of(List<Successor> successors) throws UpgradeException {
    List<Exchange.Pair> pairs = new ArrayList<>();
    for (Successor successor : successors) {
      pairs.add(new Exchange.Pair(successor.old(), of(successor)));
    }
    return pairs;
  }

  /** A driver with nodes that have the old ones' files, and with further ones; not yet in the table. */
  private Driver of(Successor successor) throws UpgradeException {
    DeviceRegistration before = successor.old().registration();
    DeviceRegistration wanted = successor.registration();
    if (!wanted.name().equals(before.name())) {
      throw new UpgradeException(
          UpgradeException.Step.MATCH,
          "%s has nodes of name %s, its successor of name %s; they must be the same".formatted(
              before.driver(), before.name(), wanted.name()));
    }
    if (wanted.major() != 0
        && (wanted.major() != before.major() || wanted.minor() != before.minor())) {
      throw new UpgradeException(
          UpgradeException.Step.MATCH,
          "%s has the number %d, %d, its successor wants %d, %d".formatted(
              before.name(), before.major(), before.minor(), wanted.major(), wanted.minor()));
    }
    try {
      NodeNames.check(wanted);
      DeviceRegistration registration =
          new DeviceRegistration(
              wanted.name(), before.major(), before.minor(), wanted.count(),
              wanted.timeoutMillis(), wanted.driver(), wanted.version(), wanted.unplug(),
              wanted.mode());
      Driver driver = create.apply(registration, successor.provider());
      List<String> paths = NodeNames.paths(registration);
      for (int i = 0; i < paths.size(); i++) {
        Inode inode = inode(successor.old(), paths.get(i), i, registration);
        driver.nodes().add(new DeviceNode(kernel, driver, paths.get(i), i, inode));
      }
      return driver;
    } catch (IllegalArgumentException e) {
      throw new UpgradeException(UpgradeException.Step.MATCH, String.valueOf(e.getMessage()));
    }
  }

  /**
   * That of the old driver's node, which keeps its number, or a new one.
   *
   * @throws IllegalArgumentException when another driver has the name or the number
   */
  private @Nullable Inode inode(
      Driver old, String path, int index, DeviceRegistration registration) {
    synchronized (nodes) {
      DeviceNode other = nodes.at(path);
      if (other != null && other.driver() == old) {
        return other.inode();
      }
      DeviceNumber number =
          new DeviceNumber(registration.major(), registration.minor() + index);
      DeviceNode taken = nodes.at(number);
      DeviceNode inTheWay = taken != null && taken.driver() != old ? taken : other;
      if (inTheWay != null) {
        throw new IllegalArgumentException(
            "%s, %s: the name or the number is taken by %s of driver %s".formatted(
                path, number, inTheWay.owner(), inTheWay.driver().name()));
      }
      return nodes.inode(path, number, List.of());
    }
  }

  /** The commit of an {@link Exchange}; see {@link Exchange.Commit#enter}. */
  void enter(List<Exchange.Pair> pairs) throws UpgradeException {
    synchronized (nodes) {
      checkStillFree(pairs);
      for (Exchange.Pair pair : pairs) {
        for (DeviceNode node : pair.old().nodes()) {
          DeviceNode heir = pair.heir(node);
          if (heir == null) {
            nodes.remove(node);
          } else {
            heir.continueFrom(node);
          }
        }
        nodes.add(pair.next());
      }
    }
  }

  /** Others may have registered since the successors were made; two successors may want the same. */
  private void checkStillFree(List<Exchange.Pair> pairs) throws UpgradeException {
    Set<Object> wanted = new HashSet<>();
    for (Exchange.Pair pair : pairs) {
      for (DeviceNode node : pair.next().nodes()) {
        boolean taken = isOthers(nodes.at(node.owner()), pair.old())
            || isOthers(nodes.at(node.number()), pair.old());
        if (taken | !wanted.add(node.owner()) | !wanted.add(node.number())) {
          throw new UpgradeException(
              UpgradeException.Step.MATCH,
              "%s, %s: the name or the number was taken meanwhile; choose another".formatted(
                  node.owner(), node.number()));
        }
      }
    }
  }

  private static boolean isOthers(@Nullable DeviceNode node, Driver driver) {
    return node != null && node.driver() != driver;
  }
}
