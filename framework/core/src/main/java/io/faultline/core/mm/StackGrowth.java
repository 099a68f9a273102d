// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCESS;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.mm.ErrnoException;

/** The growth of a stack by a fault below it: {@code expand_downwards} (RULES 17). */
public final class StackGrowth {
  private StackGrowth() {}

  /**
   * Lets the area grow down to an address. The lock is held for writing.
   *
   * @return whether it has; when not, nothing has changed but that it may have an anon_vma
   */
  public static boolean expand(AddressSpace space, Area area, long faultAddress) {
    MmRule decided = grow(space, area, faultAddress);
    space.decisions().by(decided, faultAddress, area.end());
    return decided == MmRule.STACK_GROWN;
  }

  /** The rule that lets it grow, or forbids it. */
  private static MmRule grow(AddressSpace space, Area area, long faultAddress) {
    long address = Args.pageStart(faultAddress);
    if (!area.hasAny(VM_GROWSDOWN) || address < space.profile().lowestPlacement()) {
      return MmRule.STACK_HELD;
    }
    Area below = space.areas().previous(area);
    if (below != null
        && !below.hasAny(VM_GROWSDOWN)
        && below.hasAny(VM_ACCESS)
        && address - below.end() < space.guardGapBytes()) {
      return MmRule.STACK_NEAR_AREA;
    }
    if (below != null && below.end() > address) {
      return MmRule.STACK_NEAR_AREA;
    }
    // Even for a read: Linux takes the anon_vma's lock to change the start.
    space.prepareAnonVma(area);
    if (address >= area.start()) {
      return MmRule.STACK_GROWN;
    }
    long grow = (area.start() - address) >>> PAGE_SHIFT;
    if (grow > area.pageOffset()
        || !space.mayExpand(area.flagBits(), grow)
        || Args.above(area.end() - address, space.limits().stack())
        || !space.mlockFutureOk(area.flagBits(), grow << PAGE_SHIFT)) {
      return MmRule.STACK_HELD;
    }
    try {
      space.charge(grow);
    } catch (ErrnoException overcommitted) {
      return MmRule.STACK_HELD;
    }
    if (area.hasAny(VM_LOCKED)) {
      space.account().addLocked(grow);
    }
    space.account().add(area.flagBits(), grow);
    space.areas().resize(area, address, area.end());
    area.setPageOffset(area.pageOffset() - grow);
    return MmRule.STACK_GROWN;
  }
}
