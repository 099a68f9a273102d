// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.area.VmBits.VM_RAND_READ;
import static io.faultline.core.area.VmBits.VM_SEQ_READ;

/**
 * How much of a file is read at once where a page is missing: {@code struct file_ra_state}. One page
 * where the pages before were not asked for; four at the file's beginning or behind the last missing
 * page; then twice as many each time the misses go on where the last window ended. {@code MADV_RANDOM}
 * reads one, {@code MADV_SEQUENTIAL} begins with, and goes up to, twice as many. Thread-safe.
 */
final class ReadAhead {
  /** 128 KiB, Linux's {@code read_ahead_kb}. */
  static final int MAX_PAGES = 32;

  private static final int FIRST_PAGES = 4;

  /** Where the last window began; guarded by this, as all that follows. */
  private long start = -1;
  private int pages;

  /**
   * The window for a page that is missing.
   *
   * @param index the page, which is the window's first
   * @param flags of the area, or 0 for {@code read}
   * @return how many pages, 1 or more
   */
  synchronized int next(long index, long flags) {
    int factor = (flags & VM_SEQ_READ) != 0 ? 2 : 1;
    if ((flags & VM_RAND_READ) != 0) {
      pages = 1;
    } else if (start >= 0 && index == start + pages) {
      pages = Math.clamp(pages * 2L, FIRST_PAGES * factor, MAX_PAGES * factor);
    } else {
      pages = index == 0 || factor == 2 ? FIRST_PAGES * factor : 1;
    }
    start = index;
    return pages;
  }
}
