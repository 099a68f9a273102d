// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.Workingset;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The claims on the slots of all swap {@linkplain SwapDevices devices}, and the swap cache.
 * Thread-safe.
 *
 * <p>A page-table entry that names a slot is a claim: {@link #duplicate} makes one, {@link #free}
 * drops one. Where a claim is exchanged for a page, the frame's lock is held.
 */
public final class SwapSpace {
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final Workingset workingset;
  private final SwapDevices devices;

  /**
   * @param memory whose frames are swapped
   */
  public SwapSpace(PhysicalMemory memory) {
    this.memory = memory;
    this.frames = memory.table();
    this.workingset = memory.workingset();
    this.devices = new SwapDevices(memory);
  }

  /** The devices in use. */
  public SwapDevices devices() {
    return devices;
  }

  // ---- claims -----------------------------------------------------------------------------------

  /** One more entry names the slot ({@code swap_duplicate}). */
  public void duplicate(long entry) {
    devices.area(entry).duplicate(SwapEntry.offset(entry));
  }

  /** One entry less names the slot; the last one frees it ({@code free_swap_and_cache}). */
  public void free(long entry) {
    SwapArea area = devices.area(entry);
    if (area.release(SwapEntry.offset(entry)) > 0) {
      return;
    }
    long frame = acquire(entry);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    // Who has it locked looks at the claims when he is done.
    if (frames.tryLock(frame)) {
      unlock(frame);
    }
    memory.put(frame);
  }

  /** Whether the driver of an entry's device is gone, and with it what the slot held. */
  public boolean isLost(long entry) {
    SwapArea area = devices.find(entry);
    return area != null && area.isGone();
  }

  /** How many entries name the slot. */
  public int count(long entry) {
    SwapArea area = devices.find(entry);
    return area == null ? 0 : area.count(SwapEntry.offset(entry));
  }

  // ---- the swap cache ---------------------------------------------------------------------------

  /**
   * The frame that stands for a slot, with a reference that the caller drops ({@code
   * swap_cache_get_folio}).
   *
   * @return {@link PhysicalMemory#NONE} when there is none, or the device is not in use any more
   */
  public long acquire(long entry) {
    SwapArea area = devices.find(entry);
    return area == null
        ? PhysicalMemory.NONE
        : area.cache().acquire(SwapEntry.offset(entry));
  }

  /** Whether a page in memory stands for the slot. */
  public boolean isCached(long entry) {
    SwapArea area = devices.find(entry);
    return area != null
        && area.cache().get(SwapEntry.offset(entry)) != PhysicalMemory.NONE;
  }

  /** Lets a frame stand for a slot that {@link SwapWriter#take} has just taken; the frame is locked. */
  void addTaken(long entry, long frame) {
    frames.setSwapEntry(frame, entry);
    long unused = devices.area(entry).cache().add(SwapEntry.offset(entry), frame);
    frames.set(frame, FrameTable.SWAP_CACHED | FrameTable.DIRTY);
  }

  /**
   * Lets a new, locked frame stand for a slot in use, before it is read in.
   *
   * @return false when another does already, or nobody names the slot any more
   */
  public boolean addForReading(long entry, long frame) {
    SwapArea area = devices.find(entry);
    if (area == null || !area.markCached(SwapEntry.offset(entry))) {
      return false;
    }
    frames.setSwapEntry(frame, entry);
    frames.set(frame, FrameTable.SWAP_CACHED);
    long unused = area.cache().add(SwapEntry.offset(entry), frame);
    return true;
  }

  /** The frame stands for its slot no more; it is locked. Drops the cache's reference. */
  public void remove(long frame) {
    long entry = frames.swapEntry(frame);
    SwapArea area = devices.area(entry);
    frames.clear(frame, FrameTable.SWAP_CACHED | FrameTable.DIRTY);
    boolean was = area.cache().remove(SwapEntry.offset(entry));
    area.clearCached(SwapEntry.offset(entry));
    if (!was) {
      throw new IllegalStateException("frame " + frame + " was not in the swap cache");
    }
  }

  /** The frame leaves memory for its slot: notes the time ({@code workingset_eviction}). */
  public void noteEviction(long entry) {
    devices.area(entry).setShadow(SwapEntry.offset(entry), workingset.evicted());
  }

  /** Whether the page of a slot left only just. */
  public boolean isRefault(long entry) {
    return workingset.isRefault(devices.area(entry).shadow(SwapEntry.offset(entry)));
  }

  /**
   * Unlocks a frame; one that stands in the swap cache, but whose slot nobody names any more, leaves
   * it first. The caller holds a reference of its own.
   */
  public void unlock(long frame) {
    do {
      if (isOrphan(frame)) {
        remove(frame);
      }
      frames.unlock(frame);
      // The last claim may have been dropped just before the lock was.
    } while (isOrphan(frame) && frames.tryLock(frame));
  }

  private boolean isOrphan(long frame) {
    if (!frames.has(frame, FrameTable.SWAP_CACHED)) {
      return false;
    }
    SwapArea area = devices.find(frames.swapEntry(frame));
    return area != null && area.count(SwapEntry.offset(frames.swapEntry(frame))) == 0
        && frames.has(frame, FrameTable.SWAP_CACHED);
  }

  // ---- reading and writing ----------------------------------------------------------------------

  /**
   * Slots round one that have a page out there and none here, in ascending order, the given one among
   * them: what lies together left together, and may be wanted together ({@code swap_vma_readahead}).
   *
   * @param window how many at most, a power of two
   */
  public long[] cluster(long entry, int window) {
    SwapArea area = devices.area(entry);
    long offset = SwapEntry.offset(entry);
    long first = offset & -window;
    long[] found = new long[window];
    int count = 0;
    for (long slot = first; slot < Math.min(first + window, area.slots()); slot++) {
      if (slot == offset || area.isOnlyThere(slot)) {
        found[count++] = SwapEntry.of(area.type(), slot);
      }
    }
    return Arrays.copyOf(found, count);
  }

  /**
   * Reads slots of one device into frames that are locked.
   *
   * @param entries ascending
   * @throws IOException when that failed, with the device's name
   */
  public void read(long[] entries, long[] into) throws IOException {
    SwapArea area = devices.area(entries[0]);
    long[] slots = new long[entries.length];
    MemorySegment[] pages = new MemorySegment[entries.length];
    for (int i = 0; i < entries.length; i++) {
      slots[i] = SwapEntry.offset(entries[i]);
      pages[i] = memory.segment(into[i]);
    }
    try {
      area.read(slots, pages);
    } catch (IOException e) {
      throw new IOException(
          area.name() + " could not read slot " + SwapEntry.offset(entries[0]) + ": "
              + e.getMessage(),
          e);
    }
  }

  /**
   * Begins to write a batch: takes the first device in order that nobody writes to and that admits
   * pages, or else waits for the first one that admits any, so that a slow device delays nobody but
   * those who have no other.
   *
   * @return null when no device admits pages
   */
  public @Nullable SwapWriter writer() {
    SwapArea area = devices.lockForWriting();
    return area == null ? null : new SwapWriter(this, memory, area);
  }

  // ---- for swapoff and checks -------------------------------------------------------------------

  /** Pages of a device that stand in the cache, but that nobody names, leave it. */
  public void dropOrphans(SwapArea area) {
    area.cache().forEach(
        (offset, frame) -> {
          long held = area.cache().acquire(offset);
          if (held != PhysicalMemory.NONE) {
            if (frames.tryLock(held)) {
              unlock(held);
            }
            memory.put(held);
          }
        });
  }

  /**
   * Checks that slots, claims and cache agree.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    for (SwapArea area : devices.inOrder()) {
      area.validate();
      area.cache().forEach(
          (offset, frame) -> {
            boolean known = frames.has(frame, FrameTable.SWAP_CACHED)
                && frames.swapEntry(frame) == SwapEntry.of(area.type(), offset);
            if (!known) {
              throw new IllegalStateException(
                  area.name() + ": frame " + frame + " stands for slot " + offset
                      + ", but does not know it");
            }
          });
    }
  }
}
