// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import java.util.List;

/** Puts what a driver mapped in its {@code mmap} into the page tables of the new area. */
public final class FrameInstaller {
  private FrameInstaller() {}

  static void install(AddressSpace space, Area area, List<MmapRequestObject.Install> installs) {
    // Private memory is copied at its first write.
    long rights = PageProtector.rights(area, area.hasAny(VM_SHARED));
    for (MmapRequestObject.Install install : installs) {
      long flags = Pte.ACCESSED | (install.counted() ? 0 : Pte.SPECIAL);
      for (long page = 0; page < install.pages(); page++) {
        space
            .tables()
            .set(
                install.address() + (page << Mman.PAGE_SHIFT),
                Pte.of(install.frame() + page, rights, flags));
      }
    }
    installs.clear();
  }

  /**
   * Puts bare frames in the place of others that the driver had mapped, and counted pages where nothing
   * is mapped; what a process has copied stays. The space's lock is held for writing.
   */
  public static void replace(
      AddressSpace space, Area area, List<MmapRequestObject.Install> installs) {
    long rights = PageProtector.rights(area, area.hasAny(VM_SHARED));
    FrameGather gather = new FrameGather(space.tables());
    for (MmapRequestObject.Install install : installs) {
      if (install.counted()) {
        if (!space.tables().compareAndSet(
            install.address(), Pte.NONE, Pte.of(install.frame(), rights, Pte.ACCESSED))) {
          space.memory().put(install.frame());
        }
        continue;
      }
      space
          .tables()
          .visit(
              install.address(),
              install.end(),
              (address, entry) -> {
                if (!Pte.hasFrame(entry) || !Pte.isSpecial(entry)) {
                  return entry;
                }
                gather.touch(address);
                return Pte.NONE;
              });
      for (long page = 0; page < install.pages(); page++) {
        boolean unused =
            space
                .tables()
                .compareAndSet(
                    install.address() + (page << Mman.PAGE_SHIFT),
                    Pte.NONE,
                    Pte.of(install.frame() + page, rights, Pte.ACCESSED | Pte.SPECIAL));
      }
    }
    gather.finish();
  }
}
