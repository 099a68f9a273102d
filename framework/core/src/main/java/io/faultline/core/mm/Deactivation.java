// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;

/**
 * {@code MADV_COLD} and {@code MADV_PAGEOUT}: pages that nobody else maps are taken for unused, or
 * out of memory at once ({@code madvise_cold_or_pageout_pte_range}). The space's lock is held.
 */
final class Deactivation {
  private static final int BATCH = 256;

  private final AddressSpace space;
  private final PhysicalMemory memory;
  private final FrameTable frames;

  Deactivation(AddressSpace space) {
    this.space = space;
    this.memory = space.memory();
    this.frames = memory.table();
  }

  /** The pages are the first to go when memory is needed. */
  void cool(long start, long end) {
    FrameGather gather = new FrameGather(space.tables());
    space
        .tables()
        .visit(
            start,
            end,
            (address, entry) -> {
              if (!isOwn(entry)) {
                return entry;
              }
              if (frames.clear(
                  Pte.frame(entry), FrameTable.ACTIVE | FrameTable.REFERENCED)) {
                memory.events().count(VmEvent.PGDEACTIVATE);
              }
              gather.touch(address);
              return entry & ~Pte.ACCESSED;
            });
    gather.finish();
  }

  /** The pages go now, as far as they can. */
  void pageOut(long start, long end) {
    long[] found = new long[BATCH];
    long from = start;
    while (from < end) {
      int[] count = {0};
      long[] next = {end};
      space
          .tables()
          .visit(
              from,
              end,
              (address, entry) -> {
                if (count[0] == BATCH) {
                  next[0] = Math.min(next[0], address);
                } else if (isOwn(entry) && memory.tryGet(Pte.frame(entry))) {
                  found[count[0]++] = Pte.frame(entry);
                }
                return entry;
              });
      int unused = space.services().reclaim().pageOut(found, count[0]);
      from = next[0];
    }
  }

  private boolean isOwn(long entry) {
    return Pte.hasFrame(entry) && !Pte.isSpecial(entry)
        && frames.mapCount(Pte.frame(entry)) == 1 && frames.owner(Pte.frame(entry)) != null;
  }
}
