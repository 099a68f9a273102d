// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;

/**
 * {@code MADV_FREE}: the pages need not be kept. They stay until memory is needed, and a page that is
 * written to before that is kept after all ({@code madvise_free_pte_range}). The space's lock is held.
 */
final class LazyFree {
  private LazyFree() {}

  static void mark(AddressSpace space, long start, long end) {
    PhysicalMemory memory = space.memory();
    FrameTable frames = memory.table();
    FrameGather gather = new FrameGather(space.tables());
    space
        .tables()
        .visit(
            start,
            end,
            (address, entry) -> {
              if (Pte.isSwap(entry)) {
                space.services().swap().free(Pte.swapSlot(entry));
                return Pte.NONE;
              }
              boolean own =
                  Pte.hasFrame(entry) && !Pte.isSpecial(entry) && Pte.isAnonymous(entry)
                      && frames.mapCount(Pte.frame(entry)) == 1
                      && !frames.has(Pte.frame(entry), FrameTable.SWAP_CACHED);
              if (!own) {
                return entry;
              }
              // Clean from now on: the next store marks it again.
              gather.touch(address);
              frames.set(Pte.frame(entry), FrameTable.LAZY_FREE);
              frames.clear(Pte.frame(entry), FrameTable.ACTIVE | FrameTable.REFERENCED);
              memory.events().count(VmEvent.PGLAZYFREE);
              return entry & ~(Pte.DIRTY | Pte.ACCESSED);
            });
    gather.finish();
  }
}
