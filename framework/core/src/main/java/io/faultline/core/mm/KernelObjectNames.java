// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.device.DeviceNumber;
import io.faultline.kernel.KernelObjects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Names kernel objects as Linux does, unless the process has its own names. Thread-safe. */
final class KernelObjectNames {
  private static final DeviceNumber SHMEM = new DeviceNumber(0, 1);
  private static final DeviceNumber AIO = new DeviceNumber(0, 0x10);

  private final AtomicLong inodes = new AtomicLong(1024);

  KernelObjects.Identity next(AddressSpace space, KernelObjects.Kind kind, long length) {
    @Nullable KernelObjects own = space.objectNames();
    if (own != null) {
      return own.next(kind, length);
    }
    long inode = inodes.getAndIncrement();
    return switch (kind) {
      case SHARED_MEMORY ->
          new KernelObjects.Identity(SHMEM, inode, "/dev/zero (deleted)", length);
      case SYSV_SEGMENT ->
          new KernelObjects.Identity(SHMEM, inode, "/SYSV00000000 (deleted)", length);
      case AIO_RING -> new KernelObjects.Identity(AIO, inode, "/[aio] (deleted)", length);
    };
  }
}
