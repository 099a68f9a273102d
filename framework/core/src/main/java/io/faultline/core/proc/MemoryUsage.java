// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;

/**
 * The sums of smaps over some pages ({@code struct mem_size_stats}): bytes, and where pages are shared
 * out among those who map them, bytes shifted left by {@link #PSS_SHIFT}. For one thread.
 */
final class MemoryUsage {
  /** Fixed point of a proportional share: each page's share is rounded down by itself. */
  static final int PSS_SHIFT = 12;

  private static final long PAGE = Mman.PAGE_SIZE;
  private static final long PAGE_SHARE = PAGE << PSS_SHIFT;

  long resident;
  long sharedClean;
  long sharedDirty;
  long privateClean;
  long privateDirty;
  long referenced;
  long anonymous;
  long lazyFree;
  long swap;
  long pss;
  long pssAnon;
  long pssFile;
  long pssShmem;
  long pssLocked;
  long pssDirty;
  long swapPss;

  /**
   * Adds what an entry shows ({@code smaps_pte_entry}).
   *
   * @param locked whether its area is locked into memory
   */
  void addEntry(PhysicalMemory memory, ReclaimView reclaim, long entry, boolean locked) {
    if (Pte.hasFrame(entry)) {
      if (!Pte.isSpecial(entry)) {
        addPage(memory, entry, locked);
      }
    } else if (Pte.isSwap(entry)) {
      int claims = reclaim.claims(Pte.swapSlot(entry));
      swap += PAGE;
      swapPss += claims >= 2 ? PAGE_SHARE / claims : PAGE_SHARE;
    }
  }

  /** {@code smaps_account}. */
  private void addPage(PhysicalMemory memory, long entry, boolean locked) {
    FrameTable frames = memory.table();
    long frame = Pte.frame(entry);
    int mapCount = frames.mapCount(frame);
    boolean dirty = Pte.isDirty(entry) || frames.has(frame, FrameTable.DIRTY);
    long share = mapCount >= 2 ? PAGE_SHARE / mapCount : PAGE_SHARE;
    resident += PAGE;
    pss += share;
    if (Pte.isAccessed(entry) || frames.has(frame, FrameTable.REFERENCED)) {
      referenced += PAGE;
    }
    if (Pte.isAnonymous(entry)) {
      anonymous += PAGE;
      pssAnon += share;
      lazyFree += !dirty && frames.has(frame, FrameTable.LAZY_FREE) ? PAGE : 0;
    } else if (memory.use(frame) == FrameUse.SHMEM) {
      pssShmem += share;
    } else {
      pssFile += share;
    }
    if (locked) {
      pssLocked += share;
    }
    boolean shared = mapCount >= 2;
    if (dirty) {
      pssDirty += share;
      sharedDirty += shared ? PAGE : 0;
      privateDirty += shared ? 0 : PAGE;
    } else {
      sharedClean += shared ? PAGE : 0;
      privateClean += shared ? 0 : PAGE;
    }
  }

  /** Adds the sums of other pages. */
  void add(MemoryUsage other) {
    resident += other.resident;
    sharedClean += other.sharedClean;
    sharedDirty += other.sharedDirty;
    privateClean += other.privateClean;
    privateDirty += other.privateDirty;
    referenced += other.referenced;
    anonymous += other.anonymous;
    lazyFree += other.lazyFree;
    swap += other.swap;
    pss += other.pss;
    pssAnon += other.pssAnon;
    pssFile += other.pssFile;
    pssShmem += other.pssShmem;
    pssLocked += other.pssLocked;
    pssDirty += other.pssDirty;
    swapPss += other.swapPss;
  }
}
