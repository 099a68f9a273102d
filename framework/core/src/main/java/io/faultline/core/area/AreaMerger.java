// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

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

  public AreaMerger(Removed removed) {
    this.removed = removed;
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
    if (MergeRules.special(request) || (previous == null && next == null)) {
      return null;
    }
    boolean left = MergeRules.left(request);
    boolean right = !request.justExpand && MergeRules.right(request, left);
    if (left && right && !MergeRules.removable(notNull(next))) {
      right = false;
    }
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
    if (MergeRules.special(request) || (!atStart && !atEnd)) {
      return null;
    }
    boolean left = atStart && MergeRules.left(request);
    boolean right = false;
    if (atEnd) {
      request.next = tree.next(middle);
      right = MergeRules.right(request, left);
    }
    if (!left && !right) {
      return null;
    }
    boolean whole = atStart && atEnd;
    if (whole && !MergeRules.removable(middle)) {
      return null;
    }
    if (left && right && !MergeRules.removable(notNull(request.next))) {
      right = false;
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
  private static void inherit(Area target, @Nullable Area source) {
    if (source != null
        && source != target
        && source.anonVmas().own() != null
        && target.anonVmas().own() == null) {
      target.anonVmas().copyFrom(source.anonVmas());
    }
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
