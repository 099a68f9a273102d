// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.area.MappedFile;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.mm.AddressSpace;
import io.faultline.mm.Mman;

/** Sums up the pages of an area ({@code smap_gather_stats}). */
final class UsageWalk {
  private UsageWalk() {}

  /** Precondition: the space's lock is held for reading. */
  static MemoryUsage of(AddressSpace space, Area area, ReclaimView reclaim) {
    MemoryUsage usage = new MemoryUsage();
    boolean locked = area.hasAny(VM_LOCKED);
    MappedFile file = area.mappedFile();
    FileMapping object = file == null ? null : file.mapping();
    long first = area.pageOffset();
    long[] swapped = {object == null ? 0 : reclaim.swapped(object, first, first + area.pages())};
    // A private page of its own hides the object's.
    boolean hides = (area.flagBits() & (VM_SHARED | VM_WRITE)) == VM_WRITE;
    space
        .tables()
        .visit(
            area.start(),
            area.end(),
            (address, entry) -> {
              usage.addEntry(space.memory(), reclaim, entry, locked);
              if (swapped[0] != 0 && hides && object != null) {
                long index = area.pageOffsetOf(address);
                swapped[0] -= reclaim.swapped(object, index, index + 1);
              }
              return entry;
            });
    usage.swap += swapped[0] * Mman.PAGE_SIZE;
    return usage;
  }
}
