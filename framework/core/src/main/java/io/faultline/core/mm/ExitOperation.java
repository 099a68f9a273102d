// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;

import io.faultline.core.area.Area;
import io.faultline.mm.ErrnoException;
import java.util.List;

/**
 * The end of an address space: {@code exit_mmap}. All pages first, then {@code close} for each area,
 * ascending.
 */
public final class ExitOperation {
  private ExitOperation() {}

  /** Empties the space for good. Does nothing when it is gone already. */
  public static void exit(AddressSpace space) {
    try {
      space.lockForWriting();
    } catch (ErrnoException goneOrReentrant) {
      return;
    }
    try {
      PageZapper.zap(space.tables(), 0, space.profile().taskSize(), false);
      List<Area> areas = space.areas().snapshot();
      for (Area area : areas) {
        space.areas().remove(area);
      }
      long accounted = 0;
      for (Area area : areas) {
        space.account().add(area.flagBits(), -area.pages());
        if (area.hasAny(VM_ACCOUNT)) {
          accounted += area.pages();
        }
        UnmapBatch.close(area);
      }
      space.account().addLocked(-space.account().locked());
      space.uncharge(accounted);
      space.tables().freeTables(0, space.profile().taskSize(), 0, space.profile().taskSize());
      space.markGone();
    } finally {
      space.unlockForWriting();
    }
  }
}
