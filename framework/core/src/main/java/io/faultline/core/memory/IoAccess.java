// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** How accesses to device registers are cut into those that a bus can carry. */
public final class IoAccess {
  /** As {@code rep movsl} of x86's {@code memcpy_fromio}. */
  public static final int BULK = Integer.BYTES;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private IoAccess() {}

  /**
   * The size of the first aligned access of a longer one: the largest power of two that the address is
   * a multiple of, that is left, and that is allowed.
   *
   * @param left bytes, 1 or more
   * @param most 1, 2, 4 or 8
   */
  public static int part(long address, long left, int most) {
    long aligned = address == 0 ? most : Long.lowestOneBit(address);
    return (int) Math.min(Math.min(aligned, most), Long.highestOneBit(left));
  }

  /** Cuts a value down to its size. */
  public static long truncate(long value, int size) {
    return size == Long.BYTES ? value : value & (1L << size * Byte.SIZE) - 1;
  }

  /**
   * Reads a page of registers, as a copy on write of one does.
   *
   * @param target a page long
   * @throws BusException when the device cannot answer
   */
  public static void copyPage(IoBus bus, long frame, MemorySegment target) throws BusException {
    for (int offset = 0; offset < Mman.PAGE_SIZE; offset += BULK) {
      target.set(INT, offset, (int) bus.load((frame << Mman.PAGE_SHIFT) + offset, BULK));
    }
  }
}
