// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.AnonVma;
import io.faultline.core.area.Area;
import io.faultline.core.jfr.SwapInEvent;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageProtector;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.ReadAhead;
import io.faultline.core.swap.SwapEntry;
import io.faultline.core.swap.SwapReader;
import io.faultline.core.swap.SwapSpace;
import io.faultline.mm.Access;

/**
 * Brings one page of an area back from swap ({@code do_swap_page}). The space's lock is held for
 * reading.
 *
 * <pre>
 *   entry       swap cache       then
 *   swap slot   no page          read it (and its neighbours) into the cache; a major fault
 *   swap slot   a page           lock it; entry → page; the claim on the slot is given up;
 *                                the last claim takes the page out of the cache
 * </pre>
 */
final class SwapFault {
  private final AddressSpace space;
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final SwapSpace swap;
  private final SwapReader reader;
  private final ReadAhead habits;
  private final boolean all;

  /**
   * @param all whether all that lies together is wanted
   */
  private SwapFault(AddressSpace space, boolean all) {
    this.all = all;
    this.reader = space.services().swapReader();
    this.habits = reader.readAhead(space.pid());
    this.space = space;
    this.memory = space.memory();
    this.frames = memory.table();
    this.swap = space.services().swap();
  }

  /**
   * Handles a fault at an entry that was a swap entry a moment ago.
   *
   * @param page aligned
   */
  static Outcome handle(AddressSpace space, Area area, long page, Access access) {
    return new SwapFault(space, false).bringBack(area, page, access);
  }

  /**
   * Brings a page back that nobody has asked for, for {@code swapoff}.
   *
   * @return why it could not be: OOM or SWAP_FAILED; MINOR or MAJOR else
   */
  static Outcome unuse(AddressSpace space, Area area, long page) {
    return new SwapFault(space, true).bringBack(area, page, Access.READ);
  }

  private Outcome bringBack(Area area, long page, Access access) {
    Outcome outcome = Outcome.MINOR;
    while (true) {
      long entry = space.tables().get(page);
      if (!Pte.isSwap(entry)) {
        return outcome;
      }
      long slot = Pte.swapSlot(entry);
      long frame = swap.acquire(slot);
      if (frame != PhysicalMemory.NONE) {
        boolean done = map(area, page, entry, frame, access);
        memory.put(frame);
        if (done) {
          return outcome;
        }
        continue;
      }
      // Another thread may have brought it back, and the slot may be another's by now.
      if (space.tables().get(page) != entry) {
        continue;
      }
      outcome = Outcome.MAJOR;
      SwapReader.Result result = bringIn(slot, page);
      if (result != SwapReader.Result.DONE) {
        return result == SwapReader.Result.FAILED ? Outcome.SWAP_FAILED : Outcome.OOM;
      }
    }
  }

  private SwapReader.Result bringIn(long slot, long page) {
    SwapInEvent event = SwapInEvent.start();
    SwapReader.Result result = reader.bringIn(slot, all ? SwapReader.CLUSTER : habits.window(slot));
    if (event != null) {
      event.finish(
          space.pid(), page, swap.devices().nameOf(slot), SwapEntry.offset(slot),
          result == SwapReader.Result.DONE ? null : swap.devices().lastFailure(slot));
    }
    return result;
  }

  /** Exchanges the entry for the page; the caller has a reference of its own. */
  private boolean map(Area area, long page, long entry, long frame, Access access) {
    long slot = Pte.swapSlot(entry);
    frames.lock(frame);
    try {
      boolean still =
          frames.has(frame, FrameTable.SWAP_CACHED) && frames.swapEntry(frame) == slot
              && space.tables().get(page) == entry;
      if (!still) {
        return false;
      }
      boolean last = swap.count(slot) == 1 && frames.mapCount(frame) == 0;
      own(area, page, frame, last);
      noteReturn(slot, frame);
      reader.noteUse(frame, habits);
      // Two references: the cache's, which goes with the last claim, and ours.
      boolean write = last && access == Access.WRITE && memory.references(frame) == 2;
      long present =
          Pte.of(
              frame, PageProtector.rights(area, write),
              Pte.ANON | Pte.ACCESSED | (write ? Pte.WRITTEN : 0));
      memory.get(frame);
      if (!space.tables().compareAndSet(page, entry, present)) {
        memory.put(frame);
        return false;
      }
      swap.free(slot);
      return true;
    } finally {
      swap.unlock(frame);
    }
  }

  /** A page read from a device belongs to nobody yet ({@code folio_add_anon_rmap_pte}). */
  private void own(Area area, long page, long frame, boolean last) {
    if (frames.owner(frame) != null) {
      return;
    }
    space.prepareAnonVma(area);
    AnonVma own = area.anonVmas().own();
    // Others that name the slot are of the same family, but perhaps not of this branch.
    frames.setOwner(
        frame, own == null || last ? own : own.root(), area.pageOffsetOf(page));
  }

  private void noteReturn(long slot, long frame) {
    if (frames.mapCount(frame) == 0 && swap.isRefault(slot)) {
      memory.events().count(VmEvent.WORKINGSET_REFAULT_ANON);
      if (frames.set(frame, FrameTable.ACTIVE | FrameTable.WORKINGSET)) {
        memory.events().count(VmEvent.WORKINGSET_ACTIVATE_ANON);
      }
    }
  }
}
