// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FilePages;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PageCache;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one file that the kernel keeps: brought in, written back, cut off ({@code mm/filemap.c},
 * {@code mm/page-writeback.c}, {@code mm/truncate.c}). Thread-safe.
 *
 * <p>A page that is being brought in or stored is locked; who wants it waits. A page-table entry is
 * written, and a frame leaves the cache, with the frame's lock held: so no entry is made for a page
 * that is gone. <b>A frame that some entry allows to be written is DIRTY</b>: {@link #mkwrite} sees to
 * it before the entry is made, and a write-back takes the right to write from all entries before it
 * clears DIRTY; both hold the frame's lock. So dirty bits need not be collected from page tables.
 *
 * <pre>
 *   writing                    write, truncate: one at a time
 *   +-- storing                read: writePages and sync; write: truncate
 *       +-- frames' locks      ascending by index
 *           +-- placesWalk, page tables
 * </pre>
 */
final class CachedFile implements FilePages, Inode.ResizeListener {
  /** So many pages are stored by one call at most. */
  private static final int BATCH = 64;
  private static final int OFFSET = Mman.PAGE_SIZE - 1;
  private static final long NOTHING = -1;

  /** A call of a driver's method. */
  @FunctionalInterface
  private interface StorageCall {
    void on(AddressSpaceOperations storage) throws IOException, ErrnoException;
  }

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

  private final DeviceNode node;
  private final Inode inode;
  private final Lease<AddressSpaceOperations> storage;
  private final boolean hasMkwrite;
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final FileMapping mapping;
  private final PageCache cache;
  private final CacheCounts counts;
  private final WriteErrors errors = new WriteErrors();
  private final FilemapOperations operations = new FilemapOperations(this);
  private final ReentrantLock writing = new ReentrantLock();
  /** Held for reading while pages are stored, for writing while what is stored is cut off. */
  private final ReentrantReadWriteLock storing = new ReentrantReadWriteLock();
  /** Indices of frames that are DIRTY, and of those being stored. */
  private final ConcurrentSkipListSet<Long> dirty = new ConcurrentSkipListSet<>();
  /** When the first of them became so, by {@link System#nanoTime}. */
  private volatile long dirtySince;
  /** A thread that sets the size and takes care of the pages itself. */
  private volatile @Nullable Thread resizer;
  /** The driver has changed the size, and the pages do not know yet; guarded by {@link #dirty}. */
  private long cut = NOTHING;
  private long grown = NOTHING;
  private volatile boolean unsettled;
  private volatile boolean failing;
  /** Open files; guarded by {@link FileMappings}. */
  int openFiles;

  CachedFile(DeviceNode node, Inode inode, AddressSpaceOperations operations) {
    this.node = node;
    this.inode = inode;
    this.storage = new Lease<>(operations);
    this.hasMkwrite = Overrides.of(operations).has("pageMkwrite");
    this.memory = node.kernel().memory();
    this.frames = memory.table();
    this.mapping = new FileMapping(memory, this);
    this.cache = mapping.cache();
    this.counts = node.kernel().mappings().counts();
    inode.setResizeListener(this);
  }

  DeviceNode node() {
    return node;
  }

  Inode inode() {
    return inode;
  }

  FileMapping mapping() {
    return mapping;
  }

  WriteErrors errors() {
    return errors;
  }

  /** The operations of the areas that map it. */
  FilemapOperations operations() {
    return operations;
  }

  PhysicalMemory memory() {
    return memory;
  }

  boolean isDirty() {
    return !dirty.isEmpty();
  }

  /** How long the oldest dirty page has been so, in nanoseconds; 0 when there is none. */
  long dirtyNanos(long now) {
    return dirty.isEmpty() ? 0 : now - dirtySince;
  }

  /** The file's length in pages, begun ones counted. */
  long pages() {
    return pages(inode.size());
  }

  private static long pages(long bytes) {
    return (bytes >>> Mman.PAGE_SHIFT) + ((bytes & OFFSET) == 0 ? 0 : 1);
  }

  // ---- finding and bringing in ------------------------------------------------------------------

  /**
   * A page of the file ({@code filemap_get_pages}), brought in if need be.
   *
   * @param window how much to read; null for one page
   * @param flags of the area, or 0
   * @param majors its first element is set when the page had to be brought in
   * @return the frame, locked and with a reference for the caller; {@link PhysicalMemory#NONE} behind
   *     the end of the file
   * @throws ErrnoException what the driver throws; ENOMEM
   */
  long lockPage(long index, @Nullable ReadAhead window, long flags, boolean[] majors)
      throws ErrnoException {
    while (true) {
      settle();
      if (index < 0 || index >= pages()) {
        return PhysicalMemory.NONE;
      }
      long frame = cache.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        majors[0] = true;
        readIn(index, window == null ? 1 : window.next(index, flags));
        continue;
      }
      frames.lock(frame);
      if (isPage(frame, index) && index < pages()) {
        return frame;
      }
      release(frame);
    }
  }

  /** A page that is in memory and that nobody has locked, as {@link #lockPage}; else NONE. */
  long tryLockPage(long index) {
    long frame = index < pages() ? cache.acquire(index) : PhysicalMemory.NONE;
    if (frame == PhysicalMemory.NONE) {
      return frame;
    }
    if (!frames.tryLock(frame)) {
      memory.put(frame);
      return PhysicalMemory.NONE;
    }
    if (isPage(frame, index) && index < pages()) {
      return frame;
    }
    release(frame);
    return PhysicalMemory.NONE;
  }

  private boolean isPage(long frame, long index) {
    return frames.owner(frame) == mapping
        && frames.index(frame) == index
        && frames.has(frame, FrameTable.UP_TO_DATE);
  }

  /** Unlocks a frame and drops the caller's reference. */
  void release(long frame) {
    frames.unlock(frame);
    memory.put(frame);
  }

  /**
   * A new page in the cache, locked and with a reference; NONE when there is one already.
   *
   * @param needed whether other pages may have to go for it
   */
  private long addPage(long index, boolean needed) throws ErrnoException {
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

  /** Brings pages in, the first one at least, unless somebody else does ({@code read_pages}). */
  private void readIn(long index, int wanted) throws ErrnoException {
    int most = (int) Math.min(wanted, pages() - index);
    long[] fresh = new long[Math.max(1, most)];
    int count = 0;
    while (count < most && (count == 0 || cache.get(index + count) == PhysicalMemory.NONE)) {
      long frame;
      try {
        frame = addPage(index + count, count == 0);
      } catch (ErrnoException noMemory) {
        if (count == 0) {
          throw noMemory;
        }
        break;
      }
      if (frame == PhysicalMemory.NONE) {
        break;
      }
      fresh[count++] = frame;
    }
    if (count == 0) {
      return;
    }
    try {
      read(index, fresh, count);
    } catch (ErrnoException refused) {
      for (int i = 1; i < count; i++) {
        remove(fresh[i], index + i);
        release(fresh[i]);
      }
      if (count == 1 || !node.driver().isPresent()) {
        remove(fresh[0], index);
        release(fresh[0]);
        throw refused;
      }
      readAlone(index, fresh[0]);
      return;
    }
    for (int i = 0; i < count; i++) {
      arrived(fresh[i], index + i);
    }
  }

  /** The page that is needed, after others beside it could not be had. */
  private void readAlone(long index, long frame) throws ErrnoException {
    try {
      memory.segment(frame).fill((byte) 0);
      read(index, new long[] {frame}, 1);
    } catch (ErrnoException refused) {
      remove(frame, index);
      release(frame);
      throw refused;
    }
    arrived(frame, index);
  }

  private void read(long index, long[] fresh, int count) throws ErrnoException {
    MemorySegment[] segments = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      segments[i] = memory.segment(fresh[i]);
    }
    call("readPages", false, driver -> driver.readPages(inode, index, segments));
  }

  private void arrived(long frame, long index) {
    zeroBehindEnd(frame, index);
    boolean unused = frames.set(frame, FrameTable.UP_TO_DATE);
    release(frame);
  }

  /** What is behind the end of the file reads as zeros. Precondition: the frame is locked. */
  private void zeroBehindEnd(long frame, long index) {
    long inside = inode.size() - (index << Mman.PAGE_SHIFT);
    if (inside < Mman.PAGE_SIZE) {
      memory.segment(frame).asSlice(Math.max(0, inside)).fill((byte) 0);
    }
  }

  /** Brings a range in ahead of its use: {@code MADV_WILLNEED}, {@code force_page_cache_readahead}. */
  void readAhead(long first, long end) {
    long last = Math.min(end, pages());
    for (long index = Math.max(0, first); index < last;) {
      if (cache.get(index) != PhysicalMemory.NONE) {
        index++;
        continue;
      }
      try {
        readIn(index, (int) Math.min(ReadAhead.MAX_PAGES, last - index));
      } catch (ErrnoException later) {
        // Who touches the page hears of it.
        return;
      }
    }
    settle();
  }

  // ---- leaving ----------------------------------------------------------------------------------

  /** Takes a page out. Precondition: the frame is locked, and the caller has a reference. */
  private void remove(long frame, long index) {
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

  @Override
  public boolean drop(long frame, long shadow) {
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

  @Override
  public boolean writeOut(long frame) {
    if (frames.owner(frame) != mapping
        || storing.isWriteLockedByCurrentThread()
        || !storing.readLock().tryLock()) {
      return false;
    }
    try {
      if (!frames.has(frame, FrameTable.DIRTY)) {
        return true;
      }
      long index = frames.index(frame);
      if (index >= pages()) {
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

  /**
   * Drops all pages from an offset on, and unmaps them ({@code truncate_pagecache}): once before, so
   * that pages have no entries, and once after, for private copies that faults have made meanwhile.
   */
  private void dropFrom(long size) {
    long first = pages(size);
    FileRmap rmap = node.kernel().mappings().rmap();
    rmap.unmap(mapping, first, Long.MAX_VALUE, true);
    dropPages(first, true);
    rmap.unmap(mapping, first, Long.MAX_VALUE, true);
    zeroTail(size);
  }

  /** Drops cached pages from an index on; dirty ones stay unless told. */
  private void dropPages(long first, boolean dirtyToo) {
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
        if (frames.owner(frame) == mapping && frames.index(frame) == index
            && (dirtyToo || !frames.has(frame, FrameTable.DIRTY))) {
          remove(frame, index);
        }
        release(frame);
      }
    }
  }

  /** The bytes from an offset to the end of its page become zeros, if the page is in memory. */
  private void zeroTail(long from) {
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

  /** Nobody has the file open or mapped: clean pages go, dirty ones stay to be tried again. */
  void dropClean() {
    dropPages(0, false);
  }

  /** The driver is gone: all pages go; the number of dirty ones among them is told. */
  long abandon() {
    storage.revoke();
    inode.setResizeListener(null);
    long lost = dirty.size();
    FileRmap rmap = node.kernel().mappings().rmap();
    rmap.unmap(mapping, 0, Long.MAX_VALUE, true);
    dropPages(0, true);
    return lost;
  }

  // ---- writing ----------------------------------------------------------------------------------

  /** A page is about to be written. Precondition: the frame is locked. */
  private void markDirty(long frame, long index) {
    if (frames.set(frame, FrameTable.DIRTY)) {
      counts.dirty.increment();
      if (dirty.isEmpty()) {
        dirtySince = System.nanoTime();
      }
      dirty.add(index);
    }
  }

  /**
   * A mapping is about to be allowed to write a page ({@code filemap_page_mkwrite}). Precondition: the
   * frame is locked.
   *
   * @throws ErrnoException ENXIO when the page is the file's no more; what the driver throws
   */
  void mkwrite(long frame, long index) throws ErrnoException {
    if (!isPage(frame, index) || index >= pages()) {
      throw new ErrnoException(Errno.ENXIO, behindEnd(index));
    }
    if (hasMkwrite && !frames.has(frame, FrameTable.DIRTY)) {
      call("pageMkwrite", false, driver -> driver.pageMkwrite(inode, index));
    }
    markDirty(frame, index);
  }

  String behindEnd(long index) {
    return "%s: page %d lies behind the end of the file, which has %d bytes".formatted(
        inode.path(), index, inode.size());
  }

  /** {@code generic_file_read}. */
  int read(long offset, MemorySegment target, ReadAhead window) throws ErrnoException {
    boolean[] major = {false};
    long done = 0;
    long length = target.byteSize();
    while (done < length && offset + done < inode.size()) {
      long at = offset + done;
      long frame;
      try {
        frame = lockPage(at >>> Mman.PAGE_SHIFT, window, 0, major);
      } catch (ErrnoException refused) {
        if (done > 0) {
          break;
        }
        throw refused;
      }
      if (frame == PhysicalMemory.NONE) {
        break;
      }
      long bytes = Math.min(
          Math.min(length - done, Mman.PAGE_SIZE - (at & OFFSET)), inode.size() - at);
      if (bytes > 0) {
        MemorySegment.copy(memory.segment(frame), at & OFFSET, target, done, bytes);
        done += bytes;
      }
      release(frame);
    }
    return (int) done;
  }

  /** {@code generic_perform_write}. */
  int write(long offset, MemorySegment source) throws ErrnoException {
    writing.lock();
    try {
      settle();
      long size = inode.size();
      if (offset > size && source.byteSize() > 0) {
        zeroTail(size);
      }
      long done = 0;
      while (done < source.byteSize()) {
        long at = offset + done;
        long bytes = Math.min(source.byteSize() - done, Mman.PAGE_SIZE - (at & OFFSET));
        try {
          writeWithin(at, source.asSlice(done, bytes));
        } catch (ErrnoException refused) {
          if (done > 0) {
            break;
          }
          throw refused;
        }
        done += bytes;
      }
      return (int) done;
    } finally {
      writing.unlock();
    }
  }

  /** Writes bytes of one page. */
  private void writeWithin(long at, MemorySegment bytes) throws ErrnoException {
    long index = at >>> Mman.PAGE_SHIFT;
    long end = at + bytes.byteSize();
    long pageStart = index << Mman.PAGE_SHIFT;
    // What is overwritten whole need not be read.
    boolean fresh = pageStart >= inode.size()
        || at == pageStart && (bytes.byteSize() == Mman.PAGE_SIZE || end >= inode.size());
    long frame = fresh ? lockForOverwrite(index) : lockPage(index, null, 0, new boolean[1]);
    if (frame == PhysicalMemory.NONE) {
      // Cut off meanwhile by the driver.
      frame = lockForOverwrite(index);
    }
    try {
      MemorySegment.copy(bytes, 0, memory.segment(frame), at & OFFSET, bytes.byteSize());
      boolean unused = frames.set(frame, FrameTable.UP_TO_DATE);
      markDirty(frame, index);
      if (end > inode.size()) {
        setSize(end);
      }
    } finally {
      release(frame);
    }
  }

  private long lockForOverwrite(long index) throws ErrnoException {
    while (true) {
      long frame = cache.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        frame = addPage(index, true);
        if (frame != PhysicalMemory.NONE) {
          return frame;
        }
        continue;
      }
      frames.lock(frame);
      if (isPage(frame, index)) {
        return frame;
      }
      release(frame);
    }
  }

  /** {@code ftruncate(2)}. */
  void truncate(long size) throws ErrnoException {
    writing.lock();
    storing.writeLock().lock();
    try {
      settle();
      call("truncate", false, driver -> driver.truncate(inode, size));
      long before = inode.size();
      if (size > before) {
        zeroTail(before);
      }
      setSize(size);
      if (size < before) {
        dropFrom(size);
      }
    } finally {
      storing.writeLock().unlock();
      writing.unlock();
    }
    settle();
  }

  // ---- the size ---------------------------------------------------------------------------------

  private synchronized void setSize(long size) {
    resizer = Thread.currentThread();
    try {
      inode.resize(size);
    } finally {
      resizer = null;
    }
  }

  /** The driver says that the stored file has another size. */
  @Override
  public void resized(long oldSize, long newSize) {
    if (resizer == Thread.currentThread()) {
      return;
    }
    synchronized (dirty) {
      if (newSize < oldSize) {
        cut = cut == NOTHING ? newSize : Math.min(cut, newSize);
      } else if (grown == NOTHING) {
        grown = oldSize;
      }
      unsettled = true;
    }
    if (!node.kernel().watchdog().inDriverCall()) {
      settle();
    }
  }

  /** Does to the pages what the driver's changes of the size mean. No frame is locked by the caller. */
  void settle() {
    while (unsettled) {
      long cutAt;
      long grownFrom;
      synchronized (dirty) {
        cutAt = cut;
        grownFrom = grown;
        cut = NOTHING;
        grown = NOTHING;
        unsettled = false;
      }
      if (cutAt != NOTHING) {
        dropFrom(cutAt);
      }
      if (grownFrom != NOTHING && (grownFrom & OFFSET) != 0) {
        forgetTail(grownFrom >>> Mman.PAGE_SHIFT);
      }
    }
  }

  /** The page that held the old end has more bytes now: it is read anew, unless it was written. */
  private void forgetTail(long index) {
    long frame = cache.acquire(index);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    frames.lock(frame);
    try {
      if (isPage(frame, index) && !frames.has(frame, FrameTable.DIRTY)) {
        remove(frame, index);
      } else {
        return;
      }
    } finally {
      release(frame);
    }
    node.kernel().mappings().rmap().unmap(mapping, index, index + 1, false);
  }

  // ---- writing back -----------------------------------------------------------------------------

  /**
   * Writes dirty pages of a half-open range of indices back ({@code filemap_write_and_wait_range}).
   *
   * @param leaving whether a driver that is being unregistered is called
   * @return whether all of them were stored; if not, the pages stay dirty and {@link #errors} knows
   */
  boolean writeBack(long first, long end, boolean leaving) {
    if (dirty.isEmpty()) {
      return true;
    }
    ErrnoException failure = null;
    storing.readLock().lock();
    try {
      settle();
      long began = System.nanoTime();
      Batch batch = new Batch();
      for (long index : dirty.subSet(first, end)) {
        if (!batch.takes(index)) {
          failure = firstOf(failure, store(batch, leaving));
        }
        long frame = cache.acquire(index);
        if (frame == PhysicalMemory.NONE) {
          continue;
        }
        frames.lock(frame);
        if (frames.owner(frame) == mapping && frames.index(frame) == index
            && frames.has(frame, FrameTable.DIRTY) && index < pages()) {
          batch.add(index, frame);
        } else {
          release(frame);
        }
      }
      failure = firstOf(failure, store(batch, leaving));
      if (!dirty.isEmpty()) {
        // Those that are left became dirty since, or could not be stored: tried again later.
        dirtySince = began;
      }
    } finally {
      storing.readLock().unlock();
    }
    settle();
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
      release(batch.frames[i]);
    }
    batch.count = 0;
    if (failure != null) {
      errors.record(failure);
      if (!failing) {
        failing = true;
        node.kernel().log().problem(
            "%s: %s: pages could not be written back: %s; they stay in memory and are tried again"
                .formatted(node.owner(), inode.path(), failure.getMessage()),
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
    FileRmap rmap = node.kernel().mappings().rmap();
    long size = inode.size();
    int pages = 0;
    for (int i = 0; i < count; i++) {
      long index = first + i;
      int unusedCount = rmap.writeProtect(mapping, index, batch[i]);
      long inside = size - (index << Mman.PAGE_SHIFT);
      if (inside > 0) {
        zeroBehindEnd(batch[i], index);
        segments[pages++] =
            memory.segment(batch[i]).asSlice(0, Math.min(Mman.PAGE_SIZE, inside)).asReadOnly();
      }
      // Clean from now on: who writes again has to come by mkwrite, which waits for the lock.
      boolean unused = frames.clear(batch[i], FrameTable.DIRTY);
      unused = frames.set(batch[i], FrameTable.WRITEBACK);
    }
    counts.writeback.add(count);
    ErrnoException failure = null;
    try {
      MemorySegment[] inFile = pages == count ? segments : Arrays.copyOf(segments, pages);
      if (pages > 0) {
        call("writePages", leaving, driver -> driver.writePages(inode, first, inFile));
      }
    } catch (ErrnoException refused) {
      failure = refused;
    }
    for (int i = 0; i < count; i++) {
      if (failure == null) {
        dirty.remove(first + i);
        counts.dirty.decrement();
      } else {
        boolean unused = frames.set(batch[i], FrameTable.DIRTY);
      }
      boolean unused = frames.clear(batch[i], FrameTable.WRITEBACK);
    }
    counts.writeback.add(-count);
    return failure;
  }

  /** Writes back and makes it last ({@code vfs_fsync_range}); what fails is known to {@link #errors}. */
  void sync(long first, long end) {
    revalidate();
    if (writeBack(first, end, false)) {
      storing.readLock().lock();
      try {
        call("sync", false, driver -> driver.sync(inode));
      } catch (ErrnoException refused) {
        errors.record(refused);
      } finally {
        storing.readLock().unlock();
      }
    }
    settle();
  }

  /** Has the driver look whether the stored file was changed by others. */
  void revalidate() {
    try {
      call("revalidate", false, driver -> driver.revalidate(inode));
    } catch (ErrnoException unknown) {
      // What cannot be looked at is found out when it is read or written.
    }
    settle();
  }

  private void call(String operation, boolean leaving, StorageCall body) throws ErrnoException {
    node.call(storage, operation, leaving, Errno.ENXIO, driver -> {
      try {
        body.on(driver);
      } catch (IOException e) {
        throw new ErrnoException(
            Errno.EIO, inode.path() + ": " + operation + ": " + Failures.line(e));
      }
      return null;
    });
  }

  /**
   * Checks that frames, flags and the list of dirty pages agree. For tests, while nothing else runs.
   *
   * @throws IllegalStateException naming what is wrong
   */
  void validate() {
    long[] found = {0};
    cache.forEach((index, frame) -> {
      boolean isDirty = frames.has(frame, FrameTable.DIRTY);
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
