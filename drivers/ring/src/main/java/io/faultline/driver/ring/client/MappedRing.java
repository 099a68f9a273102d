// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring.client;

import static io.faultline.driver.ring.client.RingLayout.DATA;
import static io.faultline.driver.ring.client.RingLayout.DATA_SIZE;
import static io.faultline.driver.ring.client.RingLayout.MAGIC;
import static io.faultline.driver.ring.client.RingLayout.MAGIC_VALUE;
import static io.faultline.driver.ring.client.RingLayout.VERSION;
import static io.faultline.driver.ring.client.RingLayout.VERSION_VALUE;

import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/**
 * A ring that a process has mapped, as one of its processors sees it.
 *
 * @param memory the process's memory; for one thread
 * @param address where the ring is mapped
 * @param size of the data, in bytes
 */
public record MappedRing(UserMemory memory, long address, long size) {
  /** More than an address space has room for twice. */
  private static final long MAX_SIZE = 1L << 46;

  /**
   * A ring that is mapped whole, as its control page says: only where all who can write to that are
   * trusted. {@link #map} trusts nobody.
   *
   * @throws IllegalArgumentException when there is no ring of a layout known here
   */
  public static MappedRing at(UserMemory memory, long address) {
    if (memory.getLong(address + MAGIC) != MAGIC_VALUE) {
      throw new IllegalArgumentException(
          "address: no ring is mapped at 0x" + Long.toHexString(address));
    }
    int version = memory.getInt(address + VERSION);
    if (version != VERSION_VALUE) {
      throw new IllegalArgumentException(
          "address: the ring has layout " + version + ", known here is " + VERSION_VALUE);
    }
    long size = memory.getLong(address + DATA_SIZE);
    if (size < Mman.PAGE_SIZE || size > MAX_SIZE || Long.bitCount(size) != 1) {
      throw new IllegalArgumentException(
          "address: the ring's control page says that it has " + size + " bytes");
    }
    return new MappedRing(memory, address, size);
  }

  /**
   * Maps a ring: its control page first, which says how long the rest is.
   *
   * @param memory the process's memory; for one thread
   * @param calls the kernel's
   * @param fd the ring, opened for reading and writing
   * @throws ErrnoException as {@code mmap(2)}
   */
  public static MappedRing map(UserMemory memory, VmaService calls, Task task, int fd)
      throws ErrnoException {
    long control = calls.mmap(
        task, 0, DATA, Mman.PROT_READ, Mman.MAP_SHARED, fd, 0);
    long size;
    try {
      size = at(memory, control).size;
    } finally {
      calls.munmap(task, control, DATA);
    }
    long address = calls.mmap(
        task, 0, RingLayout.mapped(size), Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, fd,
        0);
    // What the control page says is other processes' too: what counts is how much was mapped.
    return new MappedRing(memory, address, size);
  }

  /** The same ring, as another processor or another process that has it at the same address sees it. */
  public MappedRing on(UserMemory other) {
    return new MappedRing(other, address, size);
  }
}
