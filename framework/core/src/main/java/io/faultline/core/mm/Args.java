// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/** Small arithmetic on the arguments of system calls; addresses and lengths are unsigned. */
final class Args {
  private static final long PAGE_MASK = -Mman.PAGE_SIZE;

  /** Above every address of user space, and not negative. */
  private static final long BEYOND_USER_SPACE = 1L << 60;

  private Args() {}

  /** Up to the next page boundary; 0 when that overflows ({@code PAGE_ALIGN}). */
  static long pageAlign(long value) {
    return (value + Mman.PAGE_SIZE - 1) & PAGE_MASK;
  }

  static long pageStart(long value) {
    return value & PAGE_MASK;
  }

  static boolean aligned(long value) {
    return (value & ~PAGE_MASK) == 0;
  }

  static boolean below(long a, long b) {
    return Long.compareUnsigned(a, b) < 0;
  }

  static boolean above(long a, long b) {
    return Long.compareUnsigned(a, b) > 0;
  }

  /**
   * The end of a range for signed comparisons: nothing is mapped beyond user space, so that one end
   * there is as good as another.
   */
  static long clampEnd(long end) {
    return below(end, BEYOND_USER_SPACE) ? end : BEYOND_USER_SPACE;
  }

  static void requireAligned(String name, long address) throws ErrnoException {
    if (!aligned(address)) {
      throw new ErrnoException(
          Errno.EINVAL, name + ": 0x" + Long.toHexString(address) + " is not a multiple of 4096");
    }
  }

  static ErrnoException invalid(String detail) {
    return new ErrnoException(Errno.EINVAL, detail);
  }

  static ErrnoException noMemory(String detail) {
    return new ErrnoException(Errno.ENOMEM, detail);
  }

  /** A part of the range is not mapped. */
  static ErrnoException hole(long address) {
    return noMemory("address, length: nothing is mapped at 0x" + Long.toHexString(address));
  }
}
