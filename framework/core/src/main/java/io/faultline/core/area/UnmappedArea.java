// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

/**
 * Finds room for a new area ({@code vm_unmapped_area}): a gap of the wanted length and alignment that
 * keeps clear of the guard gap below a growing stack.
 */
public final class UnmappedArea {
  /** There is no such gap. */
  public static final long NONE = -1;

  private final AreaTree tree;
  private final long guardGapBytes;
  private final Decisions decisions;

  /**
   * @param guardGapBytes what is kept free below an area that grows down
   * @param decisions is told which gaps are passed over
   */
  public UnmappedArea(AreaTree tree, long guardGapBytes, Decisions decisions) {
    this.decisions = decisions;
    this.tree = tree;
    this.guardGapBytes = guardGapBytes;
  }

  /** The start of an area less the guard gap if it grows down ({@code vm_start_gap}). */
  public long startGap(Area area) {
    if (!area.hasAny(VmBits.VM_GROWSDOWN)) {
      return area.start();
    }
    long start = area.start() - guardGapBytes;
    return start > area.start() || start < 0 ? 0 : start;
  }

  /**
   * The highest place ({@code unmapped_area_topdown}).
   *
   * @param low lowest address, inclusive
   * @param high highest address, exclusive
   * @param length in bytes
   * @return the address, or {@link #NONE}
   */
  public long topDown(long low, long high, long length) {
    long limit = high;
    while (true) {
      long gapEnd = limit - low < length ? NONE : tree.highestGapEnd(low, limit, length);
      if (gapEnd == NONE) {
        return NONE;
      }
      long address = gapEnd - length;
      Area above = tree.find(gapEnd);
      if (above != null && above.hasAny(VmBits.VM_GROWSDOWN) && startGap(above) < gapEnd) {
        limit = startGap(above);
        decisions.by(AreaRule.STACK_GAP_PASSED, limit, above.start());
        continue;
      }
      return address;
    }
  }

  /**
   * The lowest place ({@code unmapped_area}); parameters as in {@link #topDown}.
   *
   * @return the address, or {@link #NONE}
   */
  public long bottomUp(long low, long high, long length) {
    long limit = low;
    while (true) {
      long address = high - limit < length ? NONE : tree.lowestGapStart(limit, high, length);
      if (address == NONE) {
        return NONE;
      }
      Area above = tree.find(address);
      if (above != null
          && above.hasAny(VmBits.VM_GROWSDOWN)
          && startGap(above) < address + length - 1) {
        limit = above.end();
        decisions.by(AreaRule.STACK_GAP_PASSED, startGap(above), above.start());
        continue;
      }
      return address;
    }
  }
}
