// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;

/** Where a file's pages come from and go to: the driver's {@code address_space_operations}. */
final class FileStorage {
  /** A call of a driver's method. */
  @FunctionalInterface
  interface StorageCall {
    void on(AddressSpaceOperations storage) throws IOException, ErrnoException;
  }

  private final DeviceNode node;
  private final Inode inode;
  private final Lease<AddressSpaceOperations> lease;
  private final boolean hasMkwrite;

  FileStorage(DeviceNode node, Inode inode, AddressSpaceOperations operations) {
    this.node = node;
    this.inode = inode;
    this.lease = new Lease<>(operations);
    this.hasMkwrite = Overrides.of(operations).has("pageMkwrite");
  }

  DeviceNode node() {
    return node;
  }

  Inode inode() {
    return inode;
  }

  /** Whether the driver wants to hear of pages that are about to be written. */
  boolean hasMkwrite() {
    return hasMkwrite;
  }

  /** The driver is gone. */
  void revoke() {
    lease.revoke();
  }

  /**
   * Calls the driver, guarded.
   *
   * @param operation the method's name
   * @param leaving whether a driver that is being unregistered is called
   * @throws ErrnoException what the driver throws; EIO for its {@link IOException}s; ENXIO when it is
   *     gone
   */
  void call(String operation, boolean leaving, StorageCall body) throws ErrnoException {
    node.call(lease, operation, leaving, Errno.ENXIO, driver -> {
      try {
        body.on(driver);
      } catch (IOException e) {
        throw new ErrnoException(
            Errno.EIO, inode.path() + ": " + operation + ": " + Failures.line(e));
      }
      return null;
    });
  }

  /** Has the driver look whether the stored file was changed by others. */
  void revalidate() {
    try {
      call("revalidate", false, driver -> driver.revalidate(inode));
    } catch (ErrnoException unknown) {
      // What cannot be looked at is found out when it is read or written.
    }
  }
}
