// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_SEALED;

import io.faultline.core.area.Area;
import io.faultline.mm.ErrnoException;

/** {@code mseal(2)}: {@code do_mseal}. The lock is held for writing. */
public final class MsealOperation {
  private MsealOperation() {}

  public static void mseal(AddressSpace space, long start, long length, long flags)
      throws ErrnoException {
    if (flags != 0) {
      throw Args.invalid("flags: must be 0");
    }
    Args.requireAligned("address", start);
    long bytes = Args.pageAlign(length);
    if (length != 0 && bytes == 0) {
      throw Args.invalid("length: overflows when rounded up to pages");
    }
    long end = start + bytes;
    if (Args.below(end, start)) {
      throw Args.invalid("length: the range wraps around");
    }
    if (end == start) {
      return;
    }
    end = Args.clampEnd(end);
    AreaWalk.requireMapped(space, start, end);
    Area area = space.areas().findAt(start);
    long done = start;
    while (area != null && done < end) {
      long partEnd = Math.min(area.end(), end);
      if (!area.hasAny(VM_SEALED)) {
        area = space.modify(area, done, partEnd, area.flagBits() | VM_SEALED);
        area.setFlagBits(area.flagBits() | VM_SEALED);
      }
      done = partEnd;
      area = area.end() > done ? area : space.areas().next(area);
    }
  }
}
