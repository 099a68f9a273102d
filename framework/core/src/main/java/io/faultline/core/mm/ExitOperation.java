// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;

import io.faultline.core.area.Area;
import java.util.List;

/**
 * The end of an address space: {@code exit_mmap}. All pages first, then {@code close} for each area,
 * ascending.
 */
public final class ExitOperation {
  private ExitOperation() {}

  /**
   * Empties the space for good; does nothing when it is gone already. Where the lock cannot be waited
   * for, in a driver's callback, those who hold it empty the space when they let go.
   */
  public static void exit(AddressSpace space) {
    space.end();
  }

  /** The work itself; the lock is held for writing, and nobody will get it after us. */
  static void empty(AddressSpace space) {
    space.aio().destroyAll(space);
    PageZapper.zap(space, 0, space.profile().taskSize(), false);
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
    space.tables().freeTables(0, space.profile().taskSize(), 0, 0);
    space.services().spaces().remove(space);
  }
}
