// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * Joins ranges with their neighbours. The caller holds the address space's lock for writing and
 * keeps the accounts; {@link Removed} hears of each area that a merge removes.
 */
public final class AreaMerger {
  /** Hears of areas that a merge removes: their file is to be put. */
  @FunctionalInterface
  public interface Removed {
    void removed(Area area);
  }

  private final Removed removed;
  private final Decisions decisions;

  /**
   * @param decisions is told what was joined, and why the rest was not
   */
  public AreaMerger(Removed removed, Decisions decisions) {
    this.removed = removed;
    this.decisions = decisions;
  }

  /**
   * Joins a range in which there is nothing yet with its neighbours ({@code vma_merge_new_range}).
   *
   * <pre>
   *   previous         next
   *  |--------|xxxxxx|------|   both  →  |----- previous -----|   (next is removed)
   *  |--------|xxxxxx|          left  →  |-- previous --|
   *            |xxxxx|------|   right →        |--- next ---|
   * </pre>
   *
   * @return the area that holds the range now, or null when no neighbour can take it
   */
  public @Nullable Area mergeNew(MergeRequest request) {
    Area previous = request.previous;
    Area next = request.next;
    if (MergeRules.special(request)) {
      decisions.by(AreaRule.SPECIAL, request.start, request.end);
      return null;
    }
    AreaRule notLeft = MergeRules.left(request);
    AreaRule notRight =
        request.justExpand
            ? AreaRule.HEAP_GROWS_ALONE
            : MergeRules.right(request, notLeft == null);
    if (notLeft == null && notRight == null && !MergeRules.removable(notNull(next))) {
      notRight = AreaRule.CLOSE_KEPT;
    }
    explain(request, notLeft, notRight);
    boolean left = notLeft == null;
    boolean right = notRight == null;
    if (left) {
      Area target = notNull(previous);
      long flags = target.flagBits() | (request.flags & VmBits.VM_STICKY);
      if (right) {
        flags |= notNull(next).flagBits() & VmBits.VM_STICKY;
        inherit(target, notNull(next));
        inherit(target, request.copiedFrom);
        long end = notNull(next).end();
        remove(request.tree, notNull(next));
        request.tree.resize(target, target.start(), end);
      } else {
        inherit(target, request.copiedFrom);
        request.tree.resize(target, target.start(), request.end);
      }
      target.setFlagBits(flags);
      return target;
    }
    if (right) {
      Area target = notNull(next);
      inherit(target, request.copiedFrom);
      request.tree.resize(target, request.start, target.end());
      target.setPageOffset(request.pageOffset);
      target.setFlagBits(target.flagBits() | (request.flags & VmBits.VM_STICKY));
      return target;
    }
    return null;
  }

  /**
   * Joins a part of an existing area, which is about to get other flags, with the neighbours that
   * have them already ({@code vma_merge_existing_range}).
   *
   * <pre>
   *   previous    middle    next
   *  |--------|xxxxxxxxxx|------|  both     →  |-------- previous --------|
   *  |--------|xxxxxxxxxx|         left     →  |---- previous ----|
   *  |--------|xxxxx-----|         left     →  |- previous --|middle|
   *           |xxxxxxxxxx|------|  right    →           |------ next -----|
   *           |-----xxxxx|------|  right    →           |mid|--- next ----|
   * </pre>
   *
   * @return the area that holds the range now, or null when no neighbour can take it; then nothing
   *     has changed
   */
  public @Nullable Area mergeExisting(MergeRequest request) {
    Area middle = notNull(request.middle);
    AreaTree tree = request.tree;
    boolean atStart = request.start == middle.start();
    boolean atEnd = request.end == middle.end();
    if (MergeRules.special(request)) {
      decisions.by(AreaRule.SPECIAL, request.start, request.end);
      return null;
    }
    AreaRule notLeft = atStart ? MergeRules.left(request) : AreaRule.INSIDE_AREA;
    AreaRule notRight = AreaRule.INSIDE_AREA;
    if (atEnd) {
      request.next = tree.next(middle);
      notRight = MergeRules.right(request, notLeft == null);
    }
    boolean whole = atStart && atEnd;
    if (whole && !MergeRules.removable(middle)) {
      notLeft = notLeft == null ? AreaRule.CLOSE_KEPT : notLeft;
      notRight = notRight == null ? AreaRule.CLOSE_KEPT : notRight;
    } else if (notLeft == null
        && notRight == null
        && !MergeRules.removable(notNull(request.next))) {
      notRight = AreaRule.CLOSE_KEPT;
    }
    explain(request, notLeft, notRight);
    boolean left = notLeft == null;
    boolean right = notRight == null;
    if (!left && !right) {
      return null;
    }
    long sticky = (request.flags | middle.flagBits()) & VmBits.VM_STICKY;
    if (left && right) {
      Area target = notNull(request.previous);
      Area next = notNull(request.next);
      inherit(target, next.anonVmas().own() != null ? next : middle);
      sticky |= next.flagBits() & VmBits.VM_STICKY;
      long end = next.end();
      remove(tree, middle);
      remove(tree, next);
      tree.resize(target, target.start(), end);
      target.setFlagBits(target.flagBits() | sticky);
      return target;
    }
    if (left) {
      Area target = notNull(request.previous);
      inherit(target, middle);
      if (whole) {
        remove(tree, middle);
      } else {
        long moved = (request.end - middle.start()) >>> 12;
        tree.resize(middle, request.end, middle.end());
        middle.setPageOffset(middle.pageOffset() + moved);
      }
      tree.resize(target, target.start(), request.end);
      target.setFlagBits(target.flagBits() | sticky);
      return target;
    }
    Area target = notNull(request.next);
    inherit(target, middle);
    long pageOffset = target.pageOffset() - request.pages();
    if (whole) {
      remove(tree, middle);
    } else {
      tree.resize(middle, middle.start(), request.start);
    }
    tree.resize(target, request.start, target.end());
    target.setPageOffset(pageOffset);
    target.setFlagBits(target.flagBits() | sticky);
    return target;
  }

  /** The target takes over the source's chain if it has none ({@code dup_anon_vma}). */
  private void inherit(Area target, @Nullable Area source) {
    if (source != null
        && source != target
        && source.anonVmas().own() != null
        && target.anonVmas().own() == null) {
      target.anonVmas().copyFrom(source.anonVmas());
      decisions.by(AreaRule.ANON_VMA_INHERITED, target.start(), target.end());
    }
  }

  /** What a merge will do, and for each side that it leaves alone the rule that forbids it. */
  private void explain(
      MergeRequest request, @Nullable AreaRule notLeft, @Nullable AreaRule notRight) {
    if (!decisions.wanted()) {
      return;
    }
    if (notLeft == AreaRule.NOT_ADJACENT && notRight == AreaRule.NOT_ADJACENT) {
      decisions.by(AreaRule.NO_NEIGHBOUR, request.start, request.end);
      return;
    }
    if (notLeft == null) {
      AreaRule done = notRight == null ? AreaRule.MERGED_BOTH : AreaRule.MERGED_PREVIOUS;
      decisions.by(done, request.start, request.end);
    } else if (notRight == null) {
      decisions.by(AreaRule.MERGED_NEXT, request.start, request.end);
    }
    if (notLeft != null) {
      explain(request, "below", request.previous, notLeft);
    }
    if (notRight != null) {
      explain(request, "above", request.next, notRight);
    }
  }

  private void explain(
      MergeRequest request, String side, @Nullable Area neighbour, AreaRule why) {
    StringBuilder text = new StringBuilder("not with what is ").append(side);
    boolean adjoins = why != AreaRule.NOT_ADJACENT && why != AreaRule.INSIDE_AREA;
    if (neighbour != null && adjoins) {
      text.append(", ").append(Long.toHexString(neighbour.start()))
          .append('-').append(Long.toHexString(neighbour.end()));
    }
    text.append(": ").append(why.text());
    if (neighbour != null && why == AreaRule.FLAGS_DIFFER) {
      VmFlags different = new VmFlags(MergeRules.differingFlags(request, neighbour));
      text.append(": ").append(different.mnemonics().strip());
    }
    decisions.by(why, request.start, request.end, text.toString());
  }

  private void remove(AreaTree tree, Area area) {
    tree.remove(area);
    area.anonVmas().clear();
    removed.removed(area);
  }

  private static Area notNull(@Nullable Area area) {
    if (area == null) {
      throw new IllegalStateException("a merge without its neighbour");
    }
    return area;
  }
}
