// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * May a range and its neighbour be one area? ({@code is_mergeable_vma}, {@code
 * is_mergeable_anon_vma}, {@code can_vma_merge_left}, {@code can_vma_merge_right}.) The answer is the
 * rule that forbids it, or null. Stateless.
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
  static @Nullable AreaRule left(MergeRequest request) {
    Area previous = request.previous;
    if (previous == null || previous.end() != request.start) {
      return AreaRule.NOT_ADJACENT;
    }
    AreaRule refusal = forbids(request, previous);
    if (refusal != null) {
      return refusal;
    }
    return previous.pageOffset() + previous.pages() == request.pageOffset
        ? null
        : AreaRule.OFFSETS_DIFFER;
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
  static @Nullable AreaRule right(MergeRequest request, boolean left) {
    Area next = request.next;
    if (next == null || next.start() != request.end) {
      return AreaRule.NOT_ADJACENT;
    }
    AreaRule refusal = forbids(request, next);
    if (refusal != null) {
      return refusal;
    }
    if (next.pageOffset() != request.pageOffset + request.pages()) {
      return AreaRule.OFFSETS_DIFFER;
    }
    Area previous = request.previous;
    if (!left || previous == null) {
      return null;
    }
    AnonVma below = previous.anonVmas().own();
    AnonVma above = next.anonVmas().own();
    return below == null || above == null || below == above ? null : AreaRule.NEIGHBOURS_DIFFER;
  }

  /** An area whose operations have {@code close} may grow in a merge but never be removed by it. */
  static boolean removable(Area area) {
    AreaOperations operations = area.operations();
    return operations == null || !operations.hasClose();
  }

  private static @Nullable AreaRule forbids(MergeRequest request, Area neighbour) {
    long different = differingFlags(request, neighbour);
    if (different != 0) {
      return nameOf(different);
    }
    if (neighbour.mappedFile() != request.file) {
      return AreaRule.FILES_DIFFER;
    }
    return Objects.equals(neighbour.policy(), request.policy)
        ? anonVmas(request, neighbour)
        : AreaRule.POLICIES_DIFFER;
  }

  private static AreaRule nameOf(long different) {
    if (different == VmBits.VM_ACCOUNT) {
      return AreaRule.ACCOUNT_DIFFERS;
    }
    return different == VmBits.VM_NOHUGEPAGE
        ? AreaRule.NOHUGEPAGE_DIFFERS
        : AreaRule.FLAGS_DIFFER;
  }

  /** The flags that keep the two apart. */
  static long differingFlags(MergeRequest request, Area neighbour) {
    return (neighbour.flagBits() ^ request.flags) & ~VmBits.VM_STICKY;
  }

  private static @Nullable AreaRule anonVmas(MergeRequest request, Area target) {
    AnonVma source = request.anonVma();
    AnonVma own = target.anonVmas().own();
    if (own == null && source != null) {
      // The target will inherit the source's chain; not that of a fork's child, whose chain is long.
      return forkChild(request.middle) || forkChild(request.copiedFrom)
          ? AreaRule.FORK_CHAIN
          : null;
    }
    if (own != null && source == null) {
      return forkChild(target) ? AreaRule.FORK_CHAIN : null;
    }
    return own == source ? null : AreaRule.ANON_VMAS_DIFFER;
  }

  /** Whether the area may hold pages that it shares with a parent since a fork. */
  private static boolean forkChild(@Nullable Area area) {
    return area != null && area.anonVmas().own() != null && !area.anonVmas().singular();
  }
}
