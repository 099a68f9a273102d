// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.OpenFileObject;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.swap.SwapReader;
import io.faultline.core.swap.SwapSpace;
import io.faultline.device.AccessMode;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.kernel.KernelObjects;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/**
 * Makes the objects behind shared anonymous memory, System V segments and AIO rings: files of the
 * kernel's own memory file system ({@code shmem_kernel_file_setup}). Thread-safe.
 */
final class SharedMemory {
  private final PhysicalMemory memory;
  private final SwapSpace swap;
  private final SwapReader swapReader;
  private final DeviceTable devices;

  SharedMemory(
      PhysicalMemory memory, SwapSpace swap, SwapReader swapReader, DeviceTable devices) {
    this.memory = memory;
    this.swap = swap;
    this.swapReader = swapReader;
    this.devices = devices;
  }

  /** Whether {@link #create} would find room: nothing is kept. */
  void checkRoom(AddressSpace space, long length, boolean noReserve) throws ErrnoException {
    long pages = noReserve ? 0 : length >>> Mman.PAGE_SHIFT;
    space.charge(pages);
    space.uncharge(pages);
  }

  /**
   * A new object, filled with zeros.
   *
   * @param length in bytes; the namer of a replay may know better
   * @param noReserve count its pages one by one instead of all at once
   * @throws ErrnoException ENOMEM when the whole length must be counted and is more than there is
   */
  SharedMemoryObject create(
      AddressSpace space, long length, boolean noReserve, KernelObjects.Kind kind)
      throws ErrnoException {
    long reserved = noReserve ? 0 : length >>> Mman.PAGE_SHIFT;
    space.charge(reserved);
    KernelObjects.Identity identity = space.services().names().next(space, kind, length);
    long size = identity.length() > 0 ? Args.pageAlign(identity.length()) : length;
    FileMapping mapping = new FileMapping(memory);
    CommitAccount commit = space.services().commit();
    SharedMemoryProvider provider =
        new SharedMemoryProvider(
            memory, new SharedPages(memory, mapping, swap, swapReader), size, kind,
            inode -> {
              devices.mappings().remove(inode);
              commit.uncharge(reserved);
            });
    boolean ring = kind == KernelObjects.Kind.AIO_RING;
    Inode inode =
        // A ring's file is of no kind at all, and of a file system that nothing is executed from.
        Inode.builder(ring ? FileKind.ANONYMOUS : FileKind.REGULAR, identity.path())
            .identity(identity.device(), identity.inode())
            .fileSystem("tmpfs", ring)
            .size(size)
            .provider(provider)
            .build();
    devices.mappings().put(inode, mapping);
    OpenFileObject file = devices.open(inode, AccessMode.READ_WRITE, false);
    return new SharedMemoryObject(file, provider);
  }
}
