// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.util.Arrays;

/**
 * Brings pages from swap devices into the swap cache ({@code swapin_readahead}). Thread-safe; who
 * wants a page that another is reading already waits for that one's frame lock.
 */
public final class SwapReader {
  /** How it ended. */
  public enum Result {
    /** The page is, or was a moment ago, in the swap cache. */
    DONE,
    /** No frame could be had. */
    OUT_OF_MEMORY,
    /** The device could not bring it. */
    FAILED
  }

  /** Pages that are read together: those that left together ({@code page_cluster} = 3). */
  public static final int CLUSTER = 8;

  private static final int PROCESSES = 64;

  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final SwapSpace swap;
  /** By process number: who shares one with another guesses worse. */
  private final ReadAhead[] readAheads = new ReadAhead[PROCESSES];

  public SwapReader(PhysicalMemory memory, SwapSpace swap) {
    this.memory = memory;
    this.frames = memory.table();
    this.swap = swap;
    Arrays.setAll(readAheads, i -> new ReadAhead());
  }

  /** The habits of a process. */
  public ReadAhead readAhead(int pid) {
    return readAheads[pid % PROCESSES];
  }

  /** A page from the swap cache is wanted: was it read ahead by these habits? The frame is locked. */
  public void noteUse(long frame, ReadAhead habits) {
    if (frames.clear(frame, FrameTable.READ_AHEAD)) {
      habits.hit();
      memory.events().count(VmEvent.SWAP_RA_HIT);
    }
  }

  /**
   * Reads a page whose slot somebody names, and its neighbours where there is plenty of memory.
   *
   * @param window how many are read together at most, a power of two
   */
  public Result bringIn(long entry, int window) {
    if (swap.isLost(entry) && !swap.isCached(entry)) {
      // No frame is worth taking, perhaps from another, for what cannot come.
      return Result.FAILED;
    }
    long own = prepare(entry, memory.allocate(FrameUse.ANONYMOUS));
    if (own == PhysicalMemory.NONE) {
      return swap.isCached(entry) || swap.count(entry) == 0 ? Result.DONE : Result.OUT_OF_MEMORY;
    }
    long[] entries = swap.cluster(entry, window);
    long[] into = new long[entries.length];
    int count = 0;
    for (long one : entries) {
      long frame =
          one == entry ? own : prepare(one, memory.allocateIfPlenty(FrameUse.ANONYMOUS));
      if (frame != PhysicalMemory.NONE) {
        entries[count] = one;
        into[count++] = frame;
      }
    }
    boolean read = read(Arrays.copyOf(entries, count), Arrays.copyOf(into, count));
    if (!read && count > 1) {
      // A bad neighbour is no reason to fail this one.
      for (int i = 0; i < count; i++) {
        if (entries[i] != entry) {
          giveUp(into[i]);
        }
      }
      count = 1;
      entries[0] = entry;
      into[0] = own;
      read = read(new long[] {entry}, new long[] {own});
    }
    for (int i = 0; i < count; i++) {
      if (read) {
        frames.set(
            into[i],
            into[i] == own ? FrameTable.UP_TO_DATE : FrameTable.UP_TO_DATE | FrameTable.READ_AHEAD);
        letGo(into[i]);
      } else {
        giveUp(into[i]);
      }
    }
    memory.events().count(VmEvent.SWAP_RA, read ? count - 1 : 0);
    return read ? Result.DONE : Result.FAILED;
  }

  private boolean read(long[] entries, long[] into) {
    try {
      swap.read(entries, into);
      memory.events().count(VmEvent.PSWPIN, entries.length);
      memory.events().count(VmEvent.PGPGIN, (long) entries.length * Mman.PAGE_SIZE / 1024);
      return true;
    } catch (IOException e) {
      // The device has counted it and remembers why.
      return false;
    }
  }

  /** Locks a new frame and lets it stand for the slot; frees it when another does. */
  private long prepare(long entry, long frame) {
    if (frame == PhysicalMemory.NONE) {
      return frame;
    }
    frames.lock(frame);
    if (swap.addForReading(entry, frame)) {
      return frame;
    }
    frames.unlock(frame);
    memory.put(frame);
    return PhysicalMemory.NONE;
  }

  private void letGo(long frame) {
    swap.unlock(frame);
    memory.put(frame);
  }

  private void giveUp(long frame) {
    swap.remove(frame);
    letGo(frame);
  }
}
