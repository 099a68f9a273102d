// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Stores the dirty pages of a file ({@code mm/page-writeback.c}). A page that is being stored is
 * locked; it has lost its right to be written from all entries first. Thread-safe.
 */
final class Writeback {
  /** So many pages are stored by one call at most. */
  private static final int BATCH = 64;

  /** Pages on their way to the driver: locked, with a reference each. */
  private static final class Batch {
    final long[] frames = new long[BATCH];
    long first;
    int count;

    boolean takes(long index) {
      return count == 0 || count < BATCH && index == first + count;
    }

    void add(long index, long frame) {
      if (count == 0) {
        first = index;
      }
      frames[count++] = frame;
    }
  }

  private final FileStorage storage;
  private final CachedPages pages;
  private final FileSize size;
  private final FileMapping mapping;
  private final PhysicalMemory memory;
  private final WriteErrors errors = new WriteErrors();
  /** Held for reading while pages are stored, for writing while what is stored is cut off. */
  private final ReentrantReadWriteLock storing = new ReentrantReadWriteLock();
  private volatile boolean failing;

  Writeback(
      FileStorage storage, CachedPages pages, FileSize size, FileMapping mapping,
      PhysicalMemory memory) {
    this.storage = storage;
    this.pages = pages;
    this.size = size;
    this.mapping = mapping;
    this.memory = memory;
  }

  WriteErrors errors() {
    return errors;
  }

  /** Nothing is stored from now on until {@link #goOn}, and what was begun is done. */
  void pause() {
    storing.writeLock().lock();
  }

  void goOn() {
    storing.writeLock().unlock();
  }

  /**
   * Writes dirty pages of a half-open range of indices back ({@code filemap_write_and_wait_range}).
   *
   * @param leaving whether a driver that is being unregistered is called
   * @return whether all of them were stored; if not, the pages stay dirty and {@link #errors} knows
   */
  boolean writeBack(long first, long end, boolean leaving) {
    if (!pages.isDirty()) {
      return true;
    }
    ErrnoException failure = null;
    storing.readLock().lock();
    try {
      size.settle();
      long began = System.nanoTime();
      Batch batch = new Batch();
      for (long index : pages.dirtyIn(first, end)) {
        if (!batch.takes(index)) {
          failure = firstOf(failure, store(batch, leaving));
        }
        long frame = pages.acquire(index);
        if (frame == PhysicalMemory.NONE) {
          continue;
        }
        pages.lock(frame);
        if (pages.holds(frame, index) && pages.isDirty(frame) && index < pages.pages()) {
          batch.add(index, frame);
        } else {
          pages.release(frame);
        }
      }
      failure = firstOf(failure, store(batch, leaving));
      pages.lookedAtAll(began);
    } finally {
      storing.readLock().unlock();
    }
    size.settle();
    return failure == null;
  }

  private static @Nullable ErrnoException firstOf(
      @Nullable ErrnoException one, @Nullable ErrnoException other) {
    return one == null ? other : one;
  }

  /** Stores a batch; where that fails, page by page. */
  private @Nullable ErrnoException store(Batch batch, boolean leaving) {
    if (batch.count == 0) {
      return null;
    }
    ErrnoException failure = store(batch.first, batch.frames, batch.count, leaving);
    if (failure != null && batch.count > 1) {
      failure = null;
      for (int i = 0; i < batch.count; i++) {
        failure = firstOf(
            failure, store(batch.first + i, new long[] {batch.frames[i]}, 1, leaving));
      }
    }
    for (int i = 0; i < batch.count; i++) {
      pages.release(batch.frames[i]);
    }
    batch.count = 0;
    if (failure != null) {
      errors.record(failure);
      if (!failing) {
        failing = true;
        storage.node().kernel().log().problem(
            "%s: %s: pages could not be written back: %s; they stay in memory and are tried again"
                .formatted(
                    storage.node().owner(), storage.inode().path(), failure.getMessage()),
            null);
      }
    } else {
      failing = false;
    }
    return failure;
  }

  /** Stores consecutive pages whose frames are locked; on failure they are dirty again. */
  private @Nullable ErrnoException store(
      long first, long[] batch, int count, boolean leaving) {
    MemorySegment[] segments = new MemorySegment[count];
    FileRmap rmap = storage.node().kernel().mappings().rmap();
    long bytes = storage.inode().size();
    int inFile = 0;
    for (int i = 0; i < count; i++) {
      long index = first + i;
      int unused = rmap.writeProtect(mapping, index, batch[i]);
      long inside = bytes - (index << Mman.PAGE_SHIFT);
      if (inside > 0) {
        pages.zeroBehindEnd(batch[i], index);
        segments[inFile++] =
            memory.segment(batch[i]).asSlice(0, Math.min(Mman.PAGE_SIZE, inside)).asReadOnly();
      }
      pages.beginStore(batch[i]);
    }
    ErrnoException failure = null;
    try {
      MemorySegment[] stored = inFile == count ? segments : Arrays.copyOf(segments, inFile);
      if (inFile > 0) {
        memory.events().count(VmEvent.PGPGOUT, (long) inFile * Mman.PAGE_SIZE / 1024);
        storage.call(
            "writePages", leaving, batch, inFile,
            driver -> driver.writePages(storage.inode(), first, stored));
      }
    } catch (ErrnoException refused) {
      failure = refused;
    }
    for (int i = 0; i < count; i++) {
      pages.endStore(batch[i], first + i, failure == null);
    }
    return failure;
  }

  /** As {@link io.faultline.core.memory.FilePages#writeOut}. */
  boolean writeOut(long frame) {
    FrameTable frames = memory.table();
    if (frames.owner(frame) != mapping
        || storing.isWriteLockedByCurrentThread()
        || !storing.readLock().tryLock()) {
      return false;
    }
    try {
      if (!pages.isDirty(frame)) {
        return true;
      }
      long index = frames.index(frame);
      if (index >= pages.pages()) {
        return false;
      }
      ErrnoException failure = store(index, new long[] {frame}, 1, false);
      if (failure != null) {
        errors.record(failure);
      }
      return failure == null;
    } finally {
      storing.readLock().unlock();
    }
  }

  /** Writes back and makes it last ({@code vfs_fsync_range}); what fails is known to {@link #errors}. */
  void sync(long first, long end) {
    storage.revalidate();
    size.settle();
    if (writeBack(first, end, false)) {
      storing.readLock().lock();
      try {
        storage.call("sync", false, driver -> driver.sync(storage.inode()));
      } catch (ErrnoException refused) {
        errors.record(refused);
      } finally {
        storing.readLock().unlock();
      }
    }
    size.settle();
  }
}
