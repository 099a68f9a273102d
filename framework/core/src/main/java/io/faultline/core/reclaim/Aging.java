// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.reclaim;

import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_RESERVED;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.memory.VmEvents;
import io.faultline.core.paging.Pte;

/**
 * Decides what becomes of a frame that the clock's hand meets ({@code folio_check_references}).
 * Stateless but for the batch it works for.
 */
final class Aging {
  /** What becomes of a frame. */
  enum Fate {
    /** It stays. */
    KEEP,
    /** It leaves memory. */
    EVICT
  }

  /** Areas whose pages never leave memory. */
  static final long NEVER_TAKEN = VM_LOCKED | VM_RESERVED | VM_IO | VM_PFNMAP;

  private final FrameTable frames;
  private final VmEvents events;
  private final HeldSpaces spaces;

  Aging(PhysicalMemory memory, HeldSpaces spaces) {
    this.frames = memory.table();
    this.events = memory.events();
    this.spaces = spaces;
  }

  /**
   * Looks at a locked frame and lets it age.
   *
   * @param swapBacked whether it is anonymous or shared memory
   */
  Fate look(long frame, boolean swapBacked) {
    count(VmEvent.PGREFILL, frames.has(frame, FrameTable.ACTIVE));
    int[] used = {0};
    boolean[] kept = {false};
    boolean all =
        spaces.walk(
            frame,
            (gather, area, address, entry) -> {
              if (area.hasAny(NEVER_TAKEN)) {
                kept[0] = true;
              }
              if (!Pte.isAccessed(entry)) {
                return entry;
              }
              used[0]++;
              // Else the TLB would go on using it without marking it.
              gather.touch(address);
              return entry & ~Pte.ACCESSED;
            });
    if (kept[0]) {
      count(VmEvent.UNEVICTABLE_PGS_CULLED, frames.set(frame, FrameTable.MLOCKED));
      return Fate.KEEP;
    }
    count(VmEvent.UNEVICTABLE_PGS_RESCUED, frames.clear(frame, FrameTable.MLOCKED));
    boolean marked = frames.clear(frame, FrameTable.REFERENCED);
    if (used[0] > 0 || marked) {
      return wasUsed(frame, swapBacked, used[0] > 1 || marked);
    }
    if (!all) {
      return Fate.KEEP;
    }
    // One round as inactive before it leaves.
    if (frames.clear(frame, FrameTable.ACTIVE)) {
      events.count(VmEvent.PGDEACTIVATE);
      return Fate.KEEP;
    }
    return Fate.EVICT;
  }

  private Fate wasUsed(long frame, boolean swapBacked, boolean again) {
    if (!frames.has(frame, FrameTable.ACTIVE)) {
      // A file that is read once from beginning to end is not to push out what is in use.
      boolean active = swapBacked || again;
      frames.set(frame, active ? FrameTable.ACTIVE : FrameTable.REFERENCED);
      count(VmEvent.PGACTIVATE, active);
    }
    return Fate.KEEP;
  }

  private void count(VmEvent event, boolean happened) {
    if (happened) {
      events.count(event);
    }
  }
}
