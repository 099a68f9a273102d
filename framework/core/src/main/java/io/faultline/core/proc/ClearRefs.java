// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.core.area.VmBits.VM_PFNMAP;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;

/** What a write to {@code /proc/PID/clear_refs} does ({@code clear_refs_write}). Stateless. */
public final class ClearRefs {
  private static final int ALL = 1;
  private static final int ANONYMOUS = 2;
  private static final int MAPPED = 3;
  private static final int SOFT_DIRTY = 4;
  private static final int HIGH_WATER = 5;

  private ClearRefs() {}

  /**
   * @param what 1 to 3: all pages, those of areas without a file, those of areas with one count as
   *     not used; 4: all pages count as not written; 5: VmHWM begins anew
   * @throws ErrnoException EINVAL for another number; what {@link AddressSpace#lockForWriting} throws
   */
  public static void clear(AddressSpace space, int what) throws ErrnoException {
    if (what < ALL || what > HIGH_WATER) {
      throw new ErrnoException(Errno.EINVAL, "what: give 1 to 5");
    }
    space.lockForWriting();
    try {
      if (what == HIGH_WATER) {
        space.tables().resetHighWater();
      } else {
        space.areas().forEach(area -> clear(space, area, what));
        // The next use has to come by the page table again.
        space.tables().flush(0, space.profile().taskSize());
      }
    } finally {
      space.unlockForWriting();
    }
  }

  private static void clear(AddressSpace space, Area area, int what) {
    boolean file = area.mappedFile() != null;
    if (area.hasAny(VM_PFNMAP) || what == ANONYMOUS && file || what == MAPPED && !file) {
      return;
    }
    FrameTable frames = space.memory().table();
    space
        .tables()
        .visit(
            area.start(),
            area.end(),
            (address, entry) -> {
              if (!Pte.hasFrame(entry)) {
                return entry;
              }
              if (what == SOFT_DIRTY) {
                return entry & ~Pte.SOFT_DIRTY;
              }
              if (Pte.isSpecial(entry)) {
                return entry;
              }
              boolean unused = frames.clear(Pte.frame(entry), FrameTable.REFERENCED);
              return entry & ~Pte.ACCESSED;
            });
  }
}
