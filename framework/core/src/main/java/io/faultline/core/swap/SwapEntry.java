// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

/**
 * The number that stands for a page in swap: which device and which slot of it ({@code swp_entry_t}),
 * in 40 bits. Static helpers only.
 *
 * <pre>
 *   bit 39..35  34..0
 *       type    offset
 * </pre>
 */
public final class SwapEntry {
  /** No entry. */
  public static final long NONE = -1;

  /** More devices than this cannot be in use at once ({@code MAX_SWAPFILES}). */
  public static final int MAX_TYPES = 32;

  /** More slots than this one device cannot have. */
  public static final long MAX_SLOTS = Integer.MAX_VALUE - 64;

  private static final int TYPE_SHIFT = 35;

  private SwapEntry() {}

  static long of(int type, long offset) {
    return (long) type << TYPE_SHIFT | offset;
  }

  /** Whether a value in the place of a page is an entry; a file's shadows are larger numbers. */
  public static boolean isEntry(long value) {
    return value >= 0 && value < (long) MAX_TYPES << TYPE_SHIFT;
  }

  /** The device, 0 to 31. */
  public static int type(long entry) {
    return (int) (entry >>> TYPE_SHIFT) & MAX_TYPES - 1;
  }

  /** The slot of the device. */
  public static long offset(long entry) {
    return entry & (1L << TYPE_SHIFT) - 1;
  }
}
