// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

/** What {@code PAGEMAP_SCAN} tells of a page ({@code PAGE_IS_...} of {@code linux/fs.h}). */
public final class PageState {
  /** A page of a file, or of shared memory. */
  public static final int FILE = 1 << 2;
  /** In memory. */
  public static final int PRESENT = 1 << 3;
  /** Not in memory, but with an entry: swapped out, or a marker. */
  public static final int SWAPPED = 1 << 4;
  /** The page of zeros that all share. */
  public static final int ZERO = 1 << 5;
  /** Part of a huge page. */
  public static final int HUGE = 1 << 6;
  /** A guard installed by {@code madvise(2)} (Linux 6.15 and later). */
  public static final int GUARD = 1 << 8;

  /** {@code _IOWR('f', 16, struct pm_scan_arg)}. */
  static final long SCAN = 0xC0606610L;
  static final int SCAN_BYTES = 96;
  static final int REGION_BYTES = 24;

  private PageState() {}
}
