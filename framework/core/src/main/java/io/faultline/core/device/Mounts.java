// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.AccessMode;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which file system is mounted where. Thread-safe. */
final class Mounts {
  private static final Pattern POINT = Pattern.compile("(/[A-Za-z0-9_][A-Za-z0-9._-]*)+");

  private final Map<String, DeviceNode> nodes = new ConcurrentHashMap<>();

  /** Where a path leads. */
  record Found(DeviceNode node, Inode inode) {}

  /**
   * @throws IllegalArgumentException when the mount point is taken or malformed
   */
  void add(String mountPoint, DeviceNode node) {
    if (!POINT.matcher(mountPoint).matches() || (mountPoint + "/").startsWith("/dev/")) {
      throw new IllegalArgumentException(
          "mountPoint: \"" + mountPoint + "\" is no place for a file system; give an absolute path"
              + " outside of /dev, without a slash at its end");
    }
    DeviceNode other = nodes.putIfAbsent(mountPoint, node);
    if (other != null) {
      throw new IllegalArgumentException(
          "mountPoint: " + mountPoint + " is taken by driver " + other.driver().name()
              + "; choose another one, or remove that driver first");
    }
  }

  void remove(Driver driver) {
    nodes.values().removeIf(node -> node.driver() == driver);
  }

  /**
   * Asks the file system that is mounted above a path for its inode.
   *
   * @return null when nothing is mounted there
   */
  @Nullable Found find(String path, AccessMode mode) throws ErrnoException {
    for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      DeviceNode node = nodes.get(path.substring(0, slash));
      if (node != null) {
        return new Found(node, lookup(node, path.substring(slash), mode));
      }
    }
    return null;
  }

  private static Inode lookup(DeviceNode node, String below, AccessMode mode)
      throws ErrnoException {
    for (String name : below.substring(1).split("/", -1)) {
      if (name.isEmpty() || name.equals(".") || name.equals("..")) {
        throw new ErrnoException(
            Errno.ENOENT, "path: \"" + name + "\" is no name of a file; give the whole path");
      }
    }
    Inode inode = node.<MmapProvider, @Nullable Inode>call(
        node.driver().lease(), "lookup", false, Errno.ENXIO,
        driver -> ((FileSystem) driver).lookup(below, mode));
    if (inode == null) {
      throw new ErrnoException(
          Errno.EIO, node.failed(
              node.kernel().watchdog().slot(), "lookup",
              "it returned null; throw an ErrnoException with ENOENT", null));
    }
    return inode;
  }
}
