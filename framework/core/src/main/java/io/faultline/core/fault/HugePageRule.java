// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import static io.faultline.core.area.VmBits.VM_HUGEPAGE;
import static io.faultline.core.area.VmBits.VM_NOHUGEPAGE;

import io.faultline.core.area.Area;
import io.faultline.core.mm.AddressSpace;

/**
 * Where Linux would map a huge page. There are none here, but Linux assigns an anon_vma even for a
 * read of one (RULES 20), and that decides merges.
 */
final class HugePageRule {
  private static final long PMD_SIZE = 2L << 20;

  private HugePageRule() {}

  static boolean wouldBeHuge(AddressSpace space, Area area, long page) {
    boolean enabled =
        switch (space.profile().transparentHugePages()) {
          case ALWAYS -> !area.hasAny(VM_NOHUGEPAGE);
          case MADVISE -> area.hasAny(VM_HUGEPAGE);
          case NEVER -> false;
        };
    if (!enabled) {
      return false;
    }
    long start = page & -PMD_SIZE;
    boolean huge =
        start >= area.start()
            && start + PMD_SIZE <= area.end()
            && !space.tables().hasTable(page);
    if (huge) {
      space.decisions().by(FaultRule.HUGE_READ, start, start + PMD_SIZE);
    }
    return huge;
  }
}
