// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.kernel.Decision.Kind;

/** The rules of this room: merging, anon_vma, the search for room. */
public enum AreaRule implements Rule {
  MERGED_BOTH(Kind.MERGE, "joined with both neighbours", "vma_merge", AreaMerger.class),
  MERGED_PREVIOUS(Kind.MERGE, "joined with the area below", "vma_merge", AreaMerger.class),
  MERGED_NEXT(Kind.MERGE, "joined with the area above", "vma_merge", AreaMerger.class),
  NO_NEIGHBOUR(Kind.MERGE, "nothing adjoins", "vma_merge", AreaMerger.class),
  NOT_ADJACENT(Kind.MERGE, "nothing adjoins there", "can_vma_merge", MergeRules.class),
  INSIDE_AREA(
      Kind.MERGE, "the rest of the same area lies there", "vma_merge_existing_range",
      AreaMerger.class),
  SPECIAL(Kind.MERGE, "special areas never merge", "VM_SPECIAL", MergeRules.class),
  FLAGS_DIFFER(Kind.MERGE, "the flags differ", "is_mergeable_vma", MergeRules.class),
  ACCOUNT_DIFFERS(
      Kind.MERGE, "only one counts for overcommit", "RULES 6, is_mergeable_vma", MergeRules.class),
  NOHUGEPAGE_DIFFERS(
      Kind.MERGE, "only one is without huge pages, as stacks are", "RULES 7, is_mergeable_vma",
      MergeRules.class),
  FILES_DIFFER(
      Kind.MERGE, "they map different open files", "RULES 22, is_mergeable_vma", MergeRules.class),
  POLICIES_DIFFER(
      Kind.MERGE, "their memory policies differ", "is_mergeable_vma, mpol_equal",
      MergeRules.class),
  OFFSETS_DIFFER(
      Kind.MERGE, "the page offsets are not consecutive", "can_vma_merge", MergeRules.class),
  ANON_VMAS_DIFFER(
      Kind.MERGE, "the anon_vmas differ", "RULES 10, is_mergeable_anon_vma", MergeRules.class),
  FORK_CHAIN(
      Kind.MERGE, "one has pages shared since a fork", "RULES 11, is_mergeable_anon_vma",
      MergeRules.class),
  NEIGHBOURS_DIFFER(
      Kind.MERGE, "the neighbours' anon_vmas differ: only the one below joins",
      "RULES 10, vma_merge", MergeRules.class),
  CLOSE_KEPT(
      Kind.MERGE, "an area whose operations have close is never removed", "can_merge_remove_vma",
      MergeRules.class),
  HEAP_GROWS_ALONE(
      Kind.MERGE, "the heap grows without its neighbour above", "vma_merge_new_range",
      AreaMerger.class),

  ANON_VMA_INHERITED(
      Kind.ANON_VMA, "the joined area takes over the one there is", "RULES 10, dup_anon_vma",
      AreaMerger.class),
  ANON_VMA_OF_NEXT(
      Kind.ANON_VMA, "that of the area above is used again", "RULES 10, find_mergeable_anon_vma",
      AnonVmaReuse.class),
  ANON_VMA_OF_PREVIOUS(
      Kind.ANON_VMA, "that of the area below is used again", "RULES 10, find_mergeable_anon_vma",
      AnonVmaReuse.class),
  FORKED_CHAIN(
      Kind.ANON_VMA, "the child's area is linked to those of all its ancestors",
      "RULES 11, anon_vma_fork", AnonVmaChain.class),
  ANON_VMA_NEW(
      Kind.ANON_VMA, "a new one: no neighbour's fits", "__anon_vma_prepare", AnonVmaReuse.class),

  SPLIT_REFUSED(
      Kind.CHECK, "may_split of the area's operations", "RULES 3, __split_vma", AreaSplitter.class),

  STACK_GAP_PASSED(
      Kind.PLACEMENT, "a gap was passed over: it is the guard gap of a stack",
      "RULES 17, vm_unmapped_area", UnmappedArea.class);

  private final Facts facts;

  AreaRule(Kind kind, String text, String source, Class<?> decider) {
    this.facts = new Facts(kind, text, source, decider);
  }

  @Override
  public Facts facts() {
    return facts;
  }
}
