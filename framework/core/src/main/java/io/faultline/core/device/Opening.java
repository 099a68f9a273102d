// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.AccessMode;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.Credentials;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.List;

/** {@code open(2)}: finds the node behind a path or an inode, and has its driver open it. */
final class Opening {
  private final DeviceNodes nodes;
  private final Mounts mounts;
  private final FileSystems fileSystems;

  Opening(DeviceNodes nodes, Mounts mounts, FileSystems fileSystems) {
    this.nodes = nodes;
    this.mounts = mounts;
    this.fileSystems = fileSystems;
  }

  /** See {@link DeviceTable#open(String, AccessMode, boolean, Credentials)}. */
  OpenFileObject open(String path, AccessMode mode, boolean append, Credentials who)
      throws ErrnoException {
    DeviceNode node = nodes.at(path);
    while (node != null) {
      node.checkPermission(mode, who);
      try {
        return open(node, inodeOf(node), mode, append);
      } catch (ErrnoException refused) {
        DeviceNode now = nodes.at(path);
        if (refused.errno() != Errno.ENXIO || now == null || now == node) {
          throw refused;
        }
        // Exchanged meanwhile.
        node = now;
      }
    }
    Mounts.Found found = mounts.find(path, mode);
    if (found != null) {
      return open(found.node(), found.inode(), mode, append);
    }
    throw notThere(path);
  }

  private ErrnoException notThere(String path) {
    if (!nodes.left(List.of(path)).isEmpty()) {
      return new ErrnoException(Errno.ENXIO, "path: the driver of " + path + " is gone");
    }
    return new ErrnoException(
        Errno.ENOENT, "path: there is no " + path
            + (path.startsWith("/dev/")
                ? ""
                : "; a device's path begins with /dev/, a file's where its file system is mounted"));
  }

  private static Inode inodeOf(DeviceNode node) {
    Inode inode = node.inode();
    if (inode == null) {
      throw new IllegalStateException(node.owner() + " has no inode");
    }
    return inode;
  }

  /** See {@link DeviceTable#open(Inode, AccessMode, boolean)}. */
  OpenFileObject open(Inode inode, AccessMode mode, boolean append) throws ErrnoException {
    return open(nodeOf(inode), inode, mode, append);
  }

  private DeviceNode nodeOf(Inode inode) throws ErrnoException {
    MmapProvider provider = inode.provider();
    if (provider != null || inode.kind() != FileKind.CHARACTER_DEVICE) {
      return fileSystems.node(provider, inode.fileSystem());
    }
    DeviceNode node = nodes.at(inode.represents());
    if (node == null) {
      throw new ErrnoException(
          Errno.ENXIO, "inode: no driver serves device " + inode.represents() + " of "
              + inode.path());
    }
    return node;
  }

  private static OpenFileObject open(
      DeviceNode node, Inode inode, AccessMode mode, boolean append) throws ErrnoException {
    OpenFileObject file = new OpenFileObject(node, inode, mode, append);
    file.open();
    return file;
  }
}
