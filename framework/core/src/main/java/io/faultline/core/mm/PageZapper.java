// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.PageTables;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapSpace;

/** Takes pages out of page tables ({@code zap_page_range}). */
public final class PageZapper {
  private PageZapper() {}

  /**
   * Clears all entries of a range, flushes, and drops the frames' references and the claims on swap
   * slots.
   *
   * @param start aligned to a page
   * @param end aligned to a page
   * @param keepGuards leave guard markers in place, as MADV_DONTNEED does
   */
  public static void zap(AddressSpace space, long start, long end, boolean keepGuards) {
    zap(space, start, end, keepGuards, false);
  }

  /**
   * Takes the pages of an area's file away: all but a private area's own copies, in memory or in swap,
   * and guard markers ({@code unmap_mapping_range} without {@code even_cows}).
   *
   * @param area of the space, whose lock is held for writing
   */
  public static void zapFilePages(AddressSpace space, Area area) {
    zap(space, area.start(), area.end(), true, !area.hasAny(VM_SHARED));
  }

  private static void zap(
      AddressSpace space, long start, long end, boolean keepGuards, boolean keepCopies) {
    PageTables tables = space.tables();
    SwapSpace swap = space.services().swap();
    tables.updateHighWater();
    FrameGather gather = new FrameGather(tables);
    tables.visit(
        start,
        end,
        (address, entry) -> {
          if (Pte.hasFrame(entry)) {
            if (keepCopies && Pte.isAnonymous(entry)) {
              return entry;
            }
            if (Pte.isSpecial(entry)) {
              gather.touch(address);
            } else {
              noteDirty(space.memory(), entry);
              gather.add(address, Pte.frame(entry));
            }
            return Pte.NONE;
          }
          if (Pte.isSwap(entry)) {
            if (keepCopies) {
              return entry;
            }
            swap.free(Pte.swapSlot(entry));
            return Pte.NONE;
          }
          return keepGuards && Pte.isGuard(entry) ? entry : Pte.NONE;
        });
    gather.finish();
  }

  /**
   * What was written through an entry stays written when the entry goes ({@code zap_present_folio_ptes}).
   * Pages of files are dirty from the moment that an entry lets them be written.
   */
  private static void noteDirty(PhysicalMemory memory, long entry) {
    if (Pte.isDirty(entry) && !Pte.isAnonymous(entry)
        && memory.use(Pte.frame(entry)) != FrameUse.FILE) {
      memory.table().set(Pte.frame(entry), FrameTable.DIRTY);
    }
  }
}
