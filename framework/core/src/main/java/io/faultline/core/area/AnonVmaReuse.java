// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import static io.faultline.core.area.VmBits.VM_ACCESS;
import static io.faultline.core.area.VmBits.VM_STICKY;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds an anon_vma for an area that needs its first: a neighbour's, if the two could become one area
 * but for their rights, so that mprotect can join them later ({@code find_mergeable_anon_vma}).
 */
public final class AnonVmaReuse {
  private AnonVmaReuse() {}

  /**
   * The neighbour's anon_vma, above first, then below; null when neither fits.
   *
   * @param decisions is told which
   */
  public static @Nullable AnonVma find(AreaTree tree, Area area, Decisions decisions) {
    Area next = tree.next(area);
    if (next != null && compatible(area, next)) {
      AnonVma found = reusable(next);
      if (found != null) {
        decisions.by(AreaRule.ANON_VMA_OF_NEXT, area.start(), area.end());
        return found;
      }
    }
    Area previous = tree.previous(area);
    if (previous != null && compatible(previous, area)) {
      AnonVma found = reusable(previous);
      if (found != null) {
        decisions.by(AreaRule.ANON_VMA_OF_PREVIOUS, area.start(), area.end());
        return found;
      }
    }
    decisions.by(AreaRule.ANON_VMA_NEW, area.start(), area.end());
    return null;
  }

  private static @Nullable AnonVma reusable(Area neighbour) {
    return neighbour.anonVmas().singular() ? neighbour.anonVmas().own() : null;
  }

  private static boolean compatible(Area below, Area above) {
    return below.end() == above.start()
        && below.mappedFile() == above.mappedFile()
        && Objects.equals(below.policy(), above.policy())
        && ((below.flagBits() ^ above.flagBits()) & ~(VM_ACCESS | VM_STICKY)) == 0
        && above.pageOffset() == below.pageOffset() + below.pages();
  }
}
