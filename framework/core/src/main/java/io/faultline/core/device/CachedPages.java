// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PageCache;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * The pages of one file that are in memory, which of them are dirty, and the flags of their frames. It
 * calls no driver. Thread-safe: what changes a page wants its frame locked.
 */
final class CachedPages {
  static final int OFFSET = Mman.PAGE_SIZE - 1;

  private final Inode inode;
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final FileMapping mapping;
  private final PageCache cache;
  private final CacheCounts counts;
  /** Indices of frames that are DIRTY, and of those being stored. */
  private final ConcurrentSkipListSet<Long> dirty = new ConcurrentSkipListSet<>();
  /** When the first of them became so, by {@link System#nanoTime}. */
  private volatile long dirtySince;

  CachedPages(Inode inode, PhysicalMemory memory, FileMapping mapping, CacheCounts counts) {
    this.inode = inode;
    this.memory = memory;
    this.frames = memory.table();
    this.mapping = mapping;
    this.cache = mapping.cache();
    this.counts = counts;
  }

  /** The file's length in pages, begun ones counted. */
  long pages() {
    return pages(inode.size());
  }

  static long pages(long bytes) {
    return (bytes >>> Mman.PAGE_SHIFT) + ((bytes & OFFSET) == 0 ? 0 : 1);
  }

  /** Whether a page is in memory; a moment of the past. */
  boolean has(long index) {
    return cache.get(index) != PhysicalMemory.NONE;
  }

  /** The frame of a page, not locked, with a reference for the caller; NONE when there is none. */
  long acquire(long index) {
    return cache.acquire(index);
  }

  /** Whether a frame holds a page of the file. Precondition: it is locked. */
  boolean holds(long frame, long index) {
    return frames.owner(frame) == mapping && frames.index(frame) == index;
  }

  /** Whether a frame holds a page of the file that has been brought in. Precondition: it is locked. */
  boolean isPage(long frame, long index) {
    return holds(frame, index) && frames.has(frame, FrameTable.UP_TO_DATE);
  }

  boolean isDirty(long frame) {
    return frames.has(frame, FrameTable.DIRTY);
  }

  void lock(long frame) {
    frames.lock(frame);
  }

  /** Unlocks a frame and drops the caller's reference. */
  void release(long frame) {
    frames.unlock(frame);
    memory.put(frame);
  }

  // ---- coming and leaving -----------------------------------------------------------------------

  /**
   * A new page in the cache, locked and with a reference; NONE when there is one already.
   *
   * @param needed whether other pages may have to go for it
   * @throws ErrnoException ENOMEM
   */
  long add(long index, boolean needed) throws ErrnoException {
    long frame =
        needed ? memory.allocate(FrameUse.FILE) : memory.allocateIfPlenty(FrameUse.FILE);
    if (frame == PhysicalMemory.NONE) {
      throw new ErrnoException(
          Errno.ENOMEM, inode.path() + ": no memory for page " + index + " of the file");
    }
    // Locked before it is the file's: reclaim would take it for a page that nobody needs.
    frames.lock(frame);
    frames.setOwner(frame, mapping, index);
    long shadow = cache.value(index);
    if (cache.add(index, frame) != frame) {
      frames.setOwner(frame, null, 0);
      release(frame);
      return PhysicalMemory.NONE;
    }
    counts.cached.increment();
    noteReturn(frame, shadow);
    return frame;
  }

  /** A page that left only just belongs to the working set ({@code workingset_refault}). */
  private void noteReturn(long frame, long shadow) {
    if (memory.workingset().isFileRefault(shadow)) {
      frames.set(frame, FrameTable.ACTIVE | FrameTable.WORKINGSET);
      memory.events().count(VmEvent.WORKINGSET_REFAULT_FILE);
      memory.events().count(VmEvent.WORKINGSET_ACTIVATE_FILE);
    }
  }

  /** What is in the frame now is the page's content. Precondition: the frame is locked. */
  void setUpToDate(long frame) {
    boolean unused = frames.set(frame, FrameTable.UP_TO_DATE);
  }

  /** Takes a page out. Precondition: the frame is locked, and the caller has a reference. */
  void remove(long frame, long index) {
    disown(frame, index);
    if (cache.remove(index)) {
      counts.cached.decrement();
    }
  }

  private void disown(long frame, long index) {
    if (frames.clear(frame, FrameTable.DIRTY)) {
      counts.dirty.decrement();
    }
    dirty.remove(index);
    frames.setOwner(frame, null, 0);
    boolean unused = frames.clear(frame, FrameTable.UP_TO_DATE);
  }

  /** As {@link io.faultline.core.memory.FilePages#drop}. */
  boolean drop(long frame, long shadow) {
    if (frames.owner(frame) != mapping
        || (frames.flags(frame) & (FrameTable.DIRTY | FrameTable.WRITEBACK)) != 0
        || frames.mapCount(frame) != 0
        || memory.references(frame) != 2
        || cache.get(frames.index(frame)) != frame) {
      return false;
    }
    long index = frames.index(frame);
    disown(frame, index);
    if (cache.leave(index, frame, shadow)) {
      counts.cached.decrement();
    }
    return true;
  }

  /** Drops cached pages from an index on; dirty ones stay unless told. */
  void dropFrom(long first, boolean dirtyToo) {
    List<Long> indices = new ArrayList<>();
    cache.forEach((index, frame) -> {
      if (index >= first) {
        indices.add(index);
      }
    });
    for (long index : indices) {
      long frame = cache.acquire(index);
      if (frame != PhysicalMemory.NONE) {
        frames.lock(frame);
        if (holds(frame, index) && (dirtyToo || !isDirty(frame))) {
          remove(frame, index);
        }
        release(frame);
      }
    }
  }

  // ---- bytes behind the end ---------------------------------------------------------------------

  /** The bytes from an offset to the end of its page become zeros, if the page is in memory. */
  void zeroTail(long from) {
    if ((from & OFFSET) == 0) {
      return;
    }
    long frame = cache.acquire(from >>> Mman.PAGE_SHIFT);
    if (frame != PhysicalMemory.NONE) {
      frames.lock(frame);
      if (isPage(frame, from >>> Mman.PAGE_SHIFT)) {
        memory.segment(frame).asSlice(from & OFFSET).fill((byte) 0);
      }
      release(frame);
    }
  }

  /** What is behind the end of the file reads as zeros. Precondition: the frame is locked. */
  void zeroBehindEnd(long frame, long index) {
    long inside = inode.size() - (index << Mman.PAGE_SHIFT);
    if (inside < Mman.PAGE_SIZE) {
      memory.segment(frame).asSlice(Math.max(0, inside)).fill((byte) 0);
    }
  }

  // ---- what is dirty ----------------------------------------------------------------------------

  boolean isDirty() {
    return !dirty.isEmpty();
  }

  int dirtyCount() {
    return dirty.size();
  }

  /** The dirty pages of a half-open range of indices, ascending: a view. */
  SortedSet<Long> dirtyIn(long first, long end) {
    return dirty.subSet(first, end);
  }

  /** How long the oldest dirty page has been so, in nanoseconds; 0 when there is none. */
  long dirtyNanos(long now) {
    return dirty.isEmpty() ? 0 : now - dirtySince;
  }

  /** All pages that were dirty at a time have been looked at. */
  void lookedAtAll(long nanos) {
    if (!dirty.isEmpty()) {
      // Those that are left became dirty since, or could not be stored: tried again later.
      dirtySince = nanos;
    }
  }

  /** A page is about to be written. Precondition: the frame is locked. */
  void markDirty(long frame, long index) {
    if (frames.set(frame, FrameTable.DIRTY)) {
      counts.dirty.increment();
      memory.events().count(VmEvent.NR_DIRTIED);
      if (dirty.isEmpty()) {
        dirtySince = System.nanoTime();
      }
      dirty.add(index);
    }
  }

  /**
   * A page is on its way to the driver, and clean from now on: who writes it again has to come by
   * mkwrite, which waits for the lock. Precondition: the frame is locked.
   */
  void beginStore(long frame) {
    boolean unused = frames.clear(frame, FrameTable.DIRTY);
    unused = frames.set(frame, FrameTable.WRITEBACK);
    counts.writeback.increment();
  }

  /** The driver has stored a page, or has not: then it is dirty again. */
  void endStore(long frame, long index, boolean stored) {
    if (stored) {
      dirty.remove(index);
      counts.dirty.decrement();
      memory.events().count(VmEvent.NR_WRITTEN);
    } else {
      boolean unused = frames.set(frame, FrameTable.DIRTY);
    }
    boolean unused = frames.clear(frame, FrameTable.WRITEBACK);
    counts.writeback.decrement();
  }

  /**
   * Checks that frames, flags and the list of dirty pages agree. For tests, while nothing else runs.
   *
   * @throws IllegalStateException naming what is wrong
   */
  void validate() {
    long[] found = {0};
    cache.forEach((index, frame) -> {
      boolean isDirty = isDirty(frame);
      if (!isPage(frame, index) || frames.isLocked(frame)) {
        throw new IllegalStateException(
            inode.path() + ": page " + index + " in frame " + frame + " is not as it should be");
      }
      if (memory.use(frame) != FrameUse.FILE
          || memory.references(frame) != frames.mapCount(frame) + 1) {
        throw new IllegalStateException(
            inode.path() + ": page " + index + " has " + memory.references(frame)
                + " references for " + frames.mapCount(frame) + " entries and the cache");
      }
      if (isDirty != dirty.contains(index)) {
        throw new IllegalStateException(
            inode.path() + ": page " + index + " is dirty: " + isDirty + ", listed: " + !isDirty);
      }
      found[0] += isDirty ? 1 : 0;
    });
    if (found[0] != dirty.size()) {
      throw new IllegalStateException(
          inode.path() + ": " + found[0] + " dirty pages, listed " + dirty);
    }
  }
}
