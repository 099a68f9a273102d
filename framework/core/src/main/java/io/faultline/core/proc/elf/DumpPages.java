// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_RESERVED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.fault.ForcedRead;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.SharedMemoryPages;
import io.faultline.core.paging.Pte;
import java.lang.foreign.MemorySegment;

/** Reads a process's pages without touching what nobody touched: {@code get_dump_page}. Stateless. */
final class DumpPages {
  /** How often a page may be taken away between being found and being held. */
  private static final int TRIES = 8;

  private DumpPages() {}

  /**
   * Copies a page. The space's lock is held for reading.
   *
   * @param page an address in the area, aligned
   * @param target a page long; left as it is when there is none
   * @return false when it is a hole: never touched, out of reach, or one that cannot be had
   */
  static boolean copy(AddressSpace space, Area area, long page, MemorySegment target) {
    if (area.hasAny(VM_IO | VM_PFNMAP | VM_RESERVED)) {
      return false;
    }
    PhysicalMemory memory = space.memory();
    for (int i = 0; i < TRIES; i++) {
      long entry = space.tables().get(page);
      if (Pte.hasFrame(entry)) {
        // The page of zeros, or a frame number with nothing behind it.
        if (Pte.isSpecial(entry)) {
          return false;
        }
        if (copyFrame(space, page, entry, memory, target)) {
          return true;
        }
      } else if (!canBeBroughtIn(area, page, entry) || !ForcedRead.bringIn(space, area, page)) {
        return false;
      }
    }
    return false;
  }

  /** Held while it is copied: a write fault or reclaim may take the frame out of the page table. */
  private static boolean copyFrame(
      AddressSpace space, long page, long entry, PhysicalMemory memory, MemorySegment target) {
    long frame = Pte.frame(entry);
    if (!memory.tryGet(frame)) {
      return false;
    }
    try {
      long now = space.tables().get(page);
      if (!Pte.hasFrame(now) || Pte.frame(now) != frame) {
        return false;
      }
      target.copyFrom(memory.segment(frame));
      return true;
    } finally {
      memory.put(frame);
    }
  }

  /** What is in swap comes back, what a file has is read; what was never there stays away. */
  private static boolean canBeBroughtIn(Area area, long page, long entry) {
    if (Pte.isSwap(entry)) {
      return true;
    }
    AreaOperations operations = area.operations();
    return entry == Pte.NONE
        && operations != null
        && operations.hasNopage()
        && !area.hasAny(VM_HUGETLB)
        && !SharedMemoryPages.isUnmade(area, page);
  }
}
