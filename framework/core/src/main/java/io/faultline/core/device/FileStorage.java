// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

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
   * Calls the driver, guarded and aside: the pages that a call is about are locked, and who waits for
   * them waits in a fault.
   *
   * @param operation the method's name
   * @param leaving whether a driver that is being unregistered is called
   * @throws ErrnoException what the driver throws; EIO for its {@link IOException}s; ENXIO when it is
   *     gone
   */
  void call(String operation, boolean leaving, StorageCall body) throws ErrnoException {
    node.callAside(lease, operation, leaving, Errno.ENXIO, false, driver -> {
      try {
        body.on(driver);
      } catch (IOException e) {
        throw new ErrnoException(
            Errno.EIO, inode.path() + ": " + operation + ": " + Failures.line(e));
      }
      return null;
    });
  }

  /**
   * As {@link #call}, with the memory of pages: they stay what they are for as long as the driver has
   * them, also after the call was given up.
   *
   * @param frames theirs; the caller has a reference to each
   * @param count how many
   */
  void call(String operation, boolean leaving, long[] frames, int count, StorageCall body)
      throws ErrnoException {
    PhysicalMemory memory = node.kernel().memory();
    long[] lent = Arrays.copyOf(frames, count);
    for (long frame : lent) {
      memory.get(frame);
    }
    AtomicBoolean begun = new AtomicBoolean();
    try {
      call(operation, leaving, driver -> {
        if (begun.compareAndSet(false, true)) {
          try {
            body.on(driver);
          } finally {
            putAll(memory, lent);
          }
        }
      });
    } finally {
      if (begun.compareAndSet(false, true)) {
        putAll(memory, lent);
      }
    }
  }

  private static void putAll(PhysicalMemory memory, long[] frames) {
    for (long frame : frames) {
      memory.put(frame);
    }
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
