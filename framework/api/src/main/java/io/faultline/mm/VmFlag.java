// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/**
 * The flags of a virtual memory area, {@code VM_…} of Linux's {@code mm.h}, with Linux's bit values
 * and the two letters by which {@code /proc/PID/smaps} shows them.
 */
public enum VmFlag {
  /** May be read. */
  READ(0x1L, "rd"),
  /** May be written. */
  WRITE(0x2L, "wr"),
  /** May be executed. */
  EXEC(0x4L, "ex"),
  /** Writes are seen by every process that maps the same object. */
  SHARED(0x8L, "sh"),
  /** mprotect may make it readable. */
  MAYREAD(0x10L, "mr"),
  /** mprotect may make it writable. */
  MAYWRITE(0x20L, "mw"),
  /** mprotect may make it executable. */
  MAYEXEC(0x40L, "me"),
  /** Was mapped {@code MAP_SHARED}; the {@code s} of {@code /proc/PID/maps}. */
  MAYSHARE(0x80L, "ms"),
  /** A stack: grows towards lower addresses on a fault just below it. */
  GROWSDOWN(0x100L, "gd"),
  /** Maps frame numbers without {@code struct page} care: {@code remap_pfn_range}. */
  PFNMAP(0x400L, "pf"),
  /** Guard regions were installed somewhere in it. */
  MAYBE_GUARD(0x800L, "gu"),
  /** Locked in memory. */
  LOCKED(0x2000L, "lo"),
  /** A memory-mapped I/O region; never in a core dump (LDD3 p. 421). */
  IO(0x4000L, "io"),
  /** Will be read sequentially. */
  SEQ_READ(0x8000L, "sr"),
  /** Will be read at random. */
  RAND_READ(0x1_0000L, "rr"),
  /** Not copied by fork. */
  DONTCOPY(0x2_0000L, "dc"),
  /** Cannot be grown by mremap, cannot be merged. */
  DONTEXPAND(0x4_0000L, "de"),
  /** Pages are locked when they are faulted in. */
  LOCKONFAULT(0x8_0000L, "lf"),
  /** Counts against the overcommit limit. */
  ACCOUNT(0x10_0000L, "ac"),
  /** No swap space is reserved for it. */
  NORESERVE(0x20_0000L, "nr"),
  /** Huge pages. */
  HUGETLB(0x40_0000L, "ht"),
  /** Synchronous page faults (DAX). */
  SYNC(0x80_0000L, "sf"),
  /** Empty in the child of a fork. */
  WIPEONFORK(0x200_0000L, "wf"),
  /** Left out of core dumps. */
  DONTDUMP(0x400_0000L, "dd"),
  /** Holds both pages and bare frame numbers: {@code vm_insert_page}. */
  MIXEDMAP(0x1000_0000L, "mm"),
  /** Advised to use huge pages. */
  HUGEPAGE(0x2000_0000L, "hg"),
  /** Advised not to use huge pages. */
  NOHUGEPAGE(0x4000_0000L, "nh"),
  /** KSM may merge its pages. */
  MERGEABLE(0x8000_0000L, "mg"),
  /** Its pages may vanish under memory pressure. */
  DROPPABLE(1L << 40, "dp"),
  /** {@code mseal(2)}: cannot be unmapped, moved or have its protection changed. */
  SEALED(1L << 42, "sl"),
  /**
   * The book's {@code VM_RESERVED} (LDD3 p. 421): neither swapped, nor dumped, nor merged. Linux
   * dropped it in 3.7; its bit here is free in Linux and its letters are our own.
   */
  RESERVED(1L << 48, "rs");

  private final long mask;
  private final String mnemonic;

  VmFlag(long mask, String mnemonic) {
    this.mask = mask;
    this.mnemonic = mnemonic;
  }

  /** The bit of {@code vm_flags}. */
  public long mask() {
    return mask;
  }

  /** The two letters in the {@code VmFlags} line of smaps. */
  public String mnemonic() {
    return mnemonic;
  }
}
