// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import org.jspecify.annotations.Nullable;

/**
 * A range that shall become part of an area, with all that decides whether a neighbour may take it
 * in ({@code struct vma_merge_struct}). Mutable, for one merge, confined to one thread.
 */
public final class MergeRequest {
  final AreaTree tree;
  long start;
  long end;
  long pageOffset;
  final long flags;
  final @Nullable MappedFile file;
  final @Nullable AnonVmaChain anonVmas;

  /** What mbind gave it; null for new ranges, which have the process's. */
  final @Nullable MemoryPolicy policy;

  /** The area below, which may or may not touch the range. */
  @Nullable Area previous;

  /** The area above, which may or may not touch the range. */
  @Nullable Area next;

  /** The existing area that the range is part of; null when the range is new. */
  @Nullable Area middle;

  /** For a move: where the range's pages come from. */
  @Nullable Area copiedFrom;

  /** Only {@link #previous} may grow ({@code brk}). */
  boolean justExpand;

  private MergeRequest(
      AreaTree tree,
      long start,
      long end,
      long pageOffset,
      long flags,
      @Nullable MappedFile file,
      @Nullable AnonVmaChain anonVmas,
      @Nullable MemoryPolicy policy) {
    this.tree = tree;
    this.start = start;
    this.end = end;
    this.pageOffset = pageOffset;
    this.flags = flags;
    this.file = file;
    this.anonVmas = anonVmas;
    this.policy = policy;
  }

  /** A range in which there is nothing yet, between its neighbours. */
  public static MergeRequest ofNew(
      AreaTree tree, long start, long end, long pageOffset, long flags, @Nullable MappedFile file) {
    MergeRequest request = new MergeRequest(tree, start, end, pageOffset, flags, file, null, null);
    request.previous = tree.findPrevious(start);
    request.next = tree.find(end);
    return request;
  }

  /** The growth of the heap: only the area below may take it in ({@code just_expand}). */
  public static MergeRequest ofGrowth(
      AreaTree tree, Area heap, long start, long end, long pageOffset, long flags) {
    MergeRequest request = new MergeRequest(tree, start, end, pageOffset, flags, null, null, null);
    request.previous = heap;
    request.justExpand = true;
    return request;
  }

  /** The growth of an area at its end ({@code vma_merge_extend}). */
  public static MergeRequest ofExtension(AreaTree tree, Area area, long delta) {
    MergeRequest request =
        new MergeRequest(
            tree,
            area.end(),
            area.end() + delta,
            area.pageOffset() + area.pages(),
            area.flagBits(),
            area.mappedFile(),
            area.anonVmas(),
            area.policy());
    request.previous = area;
    request.next = tree.next(area);
    return request;
  }

  /** A copy of an area, or of a part of it, at another place ({@code copy_vma}). */
  public static MergeRequest ofCopy(
      AreaTree tree, Area source, long start, long end, long pageOffset) {
    MergeRequest request =
        new MergeRequest(
            tree,
            start,
            end,
            pageOffset,
            source.flagBits(),
            source.mappedFile(),
            source.anonVmas(),
            source.policy());
    request.previous = tree.findPrevious(start);
    request.next = tree.find(end);
    request.copiedFrom = source;
    return request;
  }

  /** A part of an area, or all of it, that gets other flags ({@code vma_modify_flags}). */
  public static MergeRequest ofChange(
      AreaTree tree, Area area, long start, long end, long newFlags) {
    return ofChange(tree, area, start, end, newFlags, area.policy());
  }

  /** A part of an area, or all of it, that gets another policy ({@code vma_modify_policy}). */
  public static MergeRequest ofPolicy(
      AreaTree tree, Area area, long start, long end, @Nullable MemoryPolicy policy) {
    return ofChange(tree, area, start, end, area.flagBits(), policy);
  }

  private static MergeRequest ofChange(
      AreaTree tree,
      Area area,
      long start,
      long end,
      long newFlags,
      @Nullable MemoryPolicy policy) {
    MergeRequest request =
        new MergeRequest(
            tree,
            start,
            end,
            area.pageOffsetOf(start),
            newFlags,
            area.mappedFile(),
            area.anonVmas(),
            policy);
    request.middle = area;
    request.previous = start == area.start() ? tree.previous(area) : null;
    return request;
  }

  @Nullable AnonVma anonVma() {
    AnonVmaChain chain = anonVmas;
    return chain == null ? null : chain.own();
  }

  long pages() {
    return (end - start) >>> 12;
  }
}
