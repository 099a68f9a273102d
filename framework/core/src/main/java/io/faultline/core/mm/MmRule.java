// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Rule;
import io.faultline.kernel.Decision.Kind;

/** The rules of this room, but for those that choose an address ({@link PlacementRule}). */
enum MmRule implements Rule {
  SPLIT_FOR_CHANGE(Kind.SPLIT, "a part gets other flags", "vma_modify_flags", AddressSpace.class),
  SPLIT_FOR_UNMAP(
      Kind.SPLIT, "a part is to go; the cut stays even if the call fails",
      "RULES 2, vms_gather_munmap_vmas", UnmapBatch.class),

  NEW_AREA(Kind.AREA, "a new area", "__mmap_new_vma", MapRegion.class),
  REMOVED(Kind.AREA, "an area removed", "vms_complete_munmap_vmas", UnmapBatch.class),
  HOLE_LEFT(
      Kind.AREA, "refused too late: what was there before is gone",
      "RULES 1, __mmap_region", MapRegion.class),
  HUGETLB_HOLE_LEFT(
      Kind.AREA, "no huge page, told too late: what was there before is gone",
      "RULES 1, __mmap_region", HugetlbMapping.class),
  FIRST_BRK(
      Kind.AREA, "the first brk makes an area of its own",
      "RULES 4, do_brk_flags", BrkOperation.class),
  HEAP_HELD(Kind.AREA, "the heap stays as it is", "RULES 5, __do_sys_brk", BrkOperation.class),
  GROWN_IN_PLACE(Kind.AREA, "grown where it is", "expand_vma_in_place", MremapOperation.class),
  CANNOT_GROW(Kind.AREA, "cannot grow where it is", "vma_expandable", MremapOperation.class),
  SEVERAL_MOVED(
      Kind.AREA, "each area of the range moves by itself",
      "RULES 9, remap_move", MremapOperation.class),
  OFFSET_TAKEN(
      Kind.AREA, "never faulted: takes the page offset of its new place",
      "RULES 12, copy_vma", AreaMove.class),
  OFFSET_KEPT(Kind.AREA, "keeps its page offset", "RULES 12, copy_vma", AreaMove.class),
  SOURCE_LEFT(Kind.AREA, "the source stays, empty", "dontunmap_complete", MremapOperation.class),
  FORK_LEFT_OUT(
      Kind.AREA, "MADV_DONTFORK: the child has it not", "RULES 11, dup_mmap", ForkOperation.class),
  FORK_EMPTY(
      Kind.AREA, "MADV_WIPEONFORK: the child has it without its pages",
      "RULES 11, dup_mmap", ForkOperation.class),
  STACK_GROWN(Kind.AREA, "the stack grows", "RULES 17, expand_downwards", StackGrowth.class),
  STACK_NEAR_AREA(
      Kind.AREA, "the stack must not grow: something accessible is too near",
      "RULES 17, expand_downwards", StackGrowth.class),
  STACK_HELD(Kind.AREA, "the stack must not grow: a limit", "RULES 17, expand_downwards",
      StackGrowth.class),

  NO_HUGE_PAGES(
      Kind.FLAGS, "MAP_STACK sets VM_NOHUGEPAGE",
      "RULES 7, calc_vm_flag_bits", MmapOperation.class),
  EXECUTE_ONLY_KEY(
      Kind.FLAGS, "PROT_EXEC alone takes a protection key",
      "RULES 15, execute_only_pkey", ProtectionKeys.class),
  ACCOUNT_GAINED(
      Kind.FLAGS, "counts for overcommit from now on",
      "RULES 6, mprotect_fixup", MprotectOperation.class),
  ACCOUNT_LOST(
      Kind.FLAGS, "never faulted: no longer counts for overcommit",
      "RULES 6, mprotect_fixup", MprotectOperation.class),
  FLAGS_SET(Kind.FLAGS, "other flags", "vma_modify_flags", AddressSpace.class),
  NOT_LOCKABLE(
      Kind.FLAGS, "is not locked: special or droppable",
      "RULES 21, mlock_fixup", MlockOperation.class),
  GUARDED(
      Kind.FLAGS, "guard pages set a sticky flag",
      "RULES 16, madvise_guard_install", PageAdvice.class),

  MAP_COUNT(Kind.CHECK, "vm.max_map_count", "split_vma", AddressSpace.class),
  OVERCOMMIT(Kind.CHECK, "overcommit", "__vm_enough_memory", CommitAccount.class),
  SEALED(Kind.CHECK, "mseal", "RULES 19, vms_gather_munmap_vmas", UnmapBatch.class),
  NEW_AREA_CHECKS(Kind.CHECK, "the checks of a new area", "__mmap_region", MapRegion.class),
  HUGETLB_CHECKS(
      Kind.CHECK, "the checks of MAP_HUGETLB",
      "hugetlb_file_setup", HugetlbMapping.class),
  DRIVER_MMAP(Kind.CHECK, "the driver's mmap", "__mmap_new_file_vma", MapRegion.class),
  BRK_CHECKS(Kind.CHECK, "the checks of brk", "RULES 5, __do_sys_brk", BrkOperation.class),
  PAGE_ADVICE(
      Kind.CHECK, "the checks of an advice on pages",
      "madvise_vma_behavior", PageAdvice.class),
  ADVICE_SEALED(Kind.CHECK, "mseal", "RULES 19, can_madvise_modify", MadviseOperation.class),
  LOCK_CHECKS(Kind.CHECK, "the checks of a lock", "mlock_fixup", MlockOperation.class);

  private final Facts facts;

  MmRule(Kind kind, String text, String source, Class<?> decider) {
    this.facts = new Facts(kind, text, source, decider);
  }

  @Override
  public Facts facts() {
    return facts;
  }
}
