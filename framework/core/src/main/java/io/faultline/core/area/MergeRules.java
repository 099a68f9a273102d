// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import org.jspecify.annotations.Nullable;

/**
 * May a range and its neighbour be one area? ({@code is_mergeable_vma}, {@code
 * is_mergeable_anon_vma}, {@code can_vma_merge_left}, {@code can_vma_merge_right}.) Stateless.
 */
final class MergeRules {
  private MergeRules() {}

  /** Whether the range's flags forbid any merge. */
  static boolean special(MergeRequest request) {
    return (request.flags & VmBits.VM_SPECIAL) != 0;
  }

  /**
   * Whether the area below may take in the range.
   *
   * <pre>
   *     previous        range
   *   |----------|xxxxxxxxxxxxx|
   *    pgoff p    pgoff p + pages(previous)
   * </pre>
   */
  static boolean left(MergeRequest request) {
    Area previous = request.previous;
    return previous != null
        && previous.end() == request.start
        && alike(request, previous)
        && anonVmasAgree(request, previous)
        && previous.pageOffset() + previous.pages() == request.pageOffset;
  }

  /**
   * Whether the area above may take in the range.
   *
   * <pre>
   *          range          next
   *      |xxxxxxxxxxxxx|------------|
   *       pgoff p       pgoff p + pages(range)
   * </pre>
   *
   * Where the area below may as well, both must agree with each other too: each may have an anon_vma
   * of its own while the range has none.
   */
  static boolean right(MergeRequest request, boolean left) {
    Area next = request.next;
    if (next == null
        || next.start() != request.end
        || !alike(request, next)
        || !anonVmasAgree(request, next)
        || next.pageOffset() != request.pageOffset + request.pages()) {
      return false;
    }
    Area previous = request.previous;
    if (!left || previous == null) {
      return true;
    }
    AnonVma below = previous.anonVmas().own();
    AnonVma above = next.anonVmas().own();
    return below == null || above == null || below == above;
  }

  /** An area whose operations have {@code close} may grow in a merge but never be removed by it. */
  static boolean removable(Area area) {
    AreaOperations operations = area.operations();
    return operations == null || !operations.hasClose();
  }

  private static boolean alike(MergeRequest request, Area neighbour) {
    long different = (neighbour.flagBits() ^ request.flags) & ~VmBits.VM_STICKY;
    return different == 0 && neighbour.mappedFile() == request.file;
  }

  private static boolean anonVmasAgree(MergeRequest request, Area target) {
    AnonVma source = request.anonVma();
    AnonVma own = target.anonVmas().own();
    if (own == null && source != null) {
      // The target will inherit the source's chain; not that of a fork's child, whose chain is long.
      return !forkChild(request.middle) && !forkChild(request.copiedFrom);
    }
    if (own != null && source == null) {
      return !forkChild(target);
    }
    return own == source;
  }

  /** Whether the area may hold pages that it shares with a parent since a fork. */
  private static boolean forkChild(@Nullable Area area) {
    return area != null && area.anonVmas().own() != null && !area.anonVmas().singular();
  }
}
