// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;

/** The words of {@code /proc/PID/pagemap} ({@code pte_to_pagemap_entry}). Stateless. */
public final class Pagemap {
  private static final long FRAME = (1L << 55) - 1;
  private static final long SOFT_DIRTY = 1L << 55;
  private static final long EXCLUSIVE = 1L << 56;
  private static final long GUARD = 1L << 58;
  private static final long FILE = 1L << 61;
  private static final long SWAP = 1L << 62;
  private static final long PRESENT = 1L << 63;
  private static final int TYPE_BITS = 5;
  /** How Linux writes a guard down: as a swap entry of the type of markers, the marker as offset. */
  private static final long GUARD_WORD = SWAP | GUARD | 4L << TYPE_BITS | 31;

  private Pagemap() {}

  /**
   * The words of a range, one a page; 0 where there is no page.
   *
   * @param start first address, aligned to a page
   * @param pages how many
   */
  public static long[] read(AddressSpace space, ReclaimView reclaim, long start, int pages) {
    long[] words = new long[pages];
    long end = start + ((long) pages << Mman.PAGE_SHIFT);
    MapsText.locked(
        space,
        () -> {
          Area area = space.areas().findIntersection(start, end);
          for (; area != null && area.start() < end; area = space.areas().next(area)) {
            space
                .tables()
                .visit(
                    Math.max(start, area.start()),
                    Math.min(end, area.end()),
                    (address, entry) -> {
                      words[(int) (address - start >>> Mman.PAGE_SHIFT)] =
                          word(space, reclaim, entry);
                      return entry;
                    });
          }
        });
    return words;
  }

  private static long word(AddressSpace space, ReclaimView reclaim, long entry) {
    if (Pte.isGuard(entry)) {
      return GUARD_WORD;
    }
    if (Pte.isSwap(entry)) {
      long slot = Pte.swapSlot(entry);
      return SWAP | (reclaim.offset(slot) << TYPE_BITS | reclaim.type(slot)) & FRAME;
    }
    if (!Pte.hasFrame(entry)) {
      return 0;
    }
    long frame = Pte.frame(entry);
    long word = PRESENT | frame | (Pte.isSoftDirty(entry) ? SOFT_DIRTY : 0);
    if (Pte.isSpecial(entry)) {
      return word;
    }
    FrameTable frames = space.memory().table();
    return word
        | (Pte.isAnonymous(entry) ? 0 : FILE)
        | (frames.mapCount(frame) == 1 ? EXCLUSIVE : 0);
  }
}
