// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.reclaim;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FrameOwner;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.Place;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The walk from a frame to its page-table entries ({@code rmap_walk}), for a batch of frames: the
 * spaces that are met are held for reading until {@link #close}, which flushes what was changed
 * before it lets go of them. So nobody can unmap or move what a TLB still knows. Confined to one
 * thread.
 */
final class HeldSpaces implements AutoCloseable {
  /** Is shown an entry that maps the frame; its leaf table is locked. */
  @FunctionalInterface
  interface EntryAction {
    /**
     * @return what the entry is to be
     */
    long entry(FrameGather gather, Area area, long address, long entry);
  }

  private final boolean own;
  private final FrameTable frames;
  private final IntFunction<@Nullable AddressSpace> spaces;
  private final Map<AddressSpace, FrameGather> held = new HashMap<>();
  private final Set<AddressSpace> released = new HashSet<>();
  private boolean missed;

  /**
   * @param own hold a space also where this thread has its lock for writing
   */
  HeldSpaces(
      FrameTable frames, IntFunction<@Nullable AddressSpace> spaces, boolean own) {
    this.own = own;
    this.frames = frames;
    this.spaces = spaces;
  }

  /**
   * Shows every entry of a frame that can be reached now.
   *
   * @return false when a space could not be held: there may be more entries
   */
  boolean walk(long frame, EntryAction action) {
    FrameOwner owner = frames.owner(frame);
    if (owner == null) {
      return true;
    }
    boolean all = true;
    long index = frames.index(frame);
    for (Place place : owner.places().snapshot()) {
      if (frames.mapCount(frame) == 0) {
        break;
      }
      AddressSpace space = spaces.apply(place.pid());
      if (space == null) {
        continue;
      }
      FrameGather gather = hold(space);
      if (gather == null) {
        missed = true;
        all = false;
        continue;
      }
      walk(space, gather, place.address(index), frame, action);
    }
    return all;
  }

  private static void walk(
      AddressSpace space, FrameGather gather, long address, long frame, EntryAction action) {
    if (address < 0 || address >= space.profile().taskSize()) {
      return;
    }
    Area area = space.areas().findAt(address);
    if (area == null) {
      return;
    }
    space
        .tables()
        .visit(
            address,
            address + Mman.PAGE_SIZE,
            (page,
                entry) -> Pte.hasFrame(entry) && !Pte.isSpecial(entry) && Pte.frame(entry) == frame
                    ? action.entry(gather, area, page, entry)
                    : entry);
  }

  private @Nullable FrameGather hold(AddressSpace space) {
    FrameGather gather = held.get(space);
    if (gather == null && !space.tryLockForReading(own)) {
      // For a moment it may have been held nevertheless, and that in the way of its end.
      released.add(space);
      return null;
    }
    if (gather == null) {
      space.tables().updateHighWater();
      gather = new FrameGather(space.tables());
      held.put(space, gather);
    }
    return gather;
  }

  /** Whether a space could not be held, so that pages stay that could have gone. */
  boolean missed() {
    return missed;
  }

  /** Flushes, drops the references of the entries that were cleared, and lets go of the spaces. */
  @Override
  public void close() {
    held.values().forEach(FrameGather::finish);
    held.keySet().forEach(AddressSpace::unlockAfterTry);
    released.addAll(held.keySet());
    held.clear();
  }

  /** Spaces that were held, or should have been; one of them may have been waiting for its end. */
  void endDying() {
    released.forEach(AddressSpace::endIfDying);
  }
}
