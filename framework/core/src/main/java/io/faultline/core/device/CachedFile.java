// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FilePages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.Inode;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file whose pages the kernel keeps: read, written, cut off, and synchronized ({@code mm/filemap.c}).
 * {@link CachedPages} are what is in memory; {@link PageReader} brings pages in, {@link Writeback}
 * stores them, {@link FileSize} drops those behind the end, {@link FileStorage} is the driver's side.
 * Thread-safe.
 *
 * <p>A page that is being brought in or stored is locked; who wants it waits. A page-table entry is
 * written, and a frame leaves the cache, with the frame's lock held: so no entry is made for a page
 * that is gone. <b>A frame that some entry allows to be written is DIRTY</b>: {@link #mkwrite} sees to
 * it before the entry is made, and a write-back takes the right to write from all entries before it
 * clears DIRTY; both hold the frame's lock. So dirty bits need not be collected from page tables.
 *
 * <pre>
 *   writing                    write, truncate: one at a time
 *   +-- storing                read: writePages and sync; write: truncate (in Writeback)
 *       +-- frames' locks      ascending by index
 *           +-- placesWalk, page tables
 * </pre>
 */
final class CachedFile implements FilePages {
  private final FileStorage storage;
  private final PhysicalMemory memory;
  private final FileMapping mapping;
  private final CachedPages pages;
  private final FileSize size;
  private final PageReader reader;
  private final Writeback writeback;
  private final FilemapOperations operations;
  private final ReentrantLock writing = new ReentrantLock();
  /** Open files; guarded by {@link FileMappings}. */
  int openFiles;

  CachedFile(DeviceNode node, Inode inode, AddressSpaceOperations operations) {
    this.storage = new FileStorage(node, inode, operations);
    this.memory = node.kernel().memory();
    this.mapping = new FileMapping(memory, this);
    this.pages = new CachedPages(inode, memory, mapping, node.kernel().mappings().counts());
    this.size = new FileSize(node, inode, pages, mapping);
    this.reader = new PageReader(storage, pages, size, memory);
    this.writeback = new Writeback(storage, pages, size, mapping, memory);
    this.operations = new FilemapOperations(this, reader, size);
    inode.setResizeListener(size);
  }

  DeviceNode node() {
    return storage.node();
  }

  Inode inode() {
    return storage.inode();
  }

  FileMapping mapping() {
    return mapping;
  }

  WriteErrors errors() {
    return writeback.errors();
  }

  /** The operations of the areas that map it. */
  FilemapOperations operations() {
    return operations;
  }

  PhysicalMemory memory() {
    return memory;
  }

  boolean isDirty() {
    return pages.isDirty();
  }

  /** How long the oldest dirty page has been so, in nanoseconds; 0 when there is none. */
  long dirtyNanos(long now) {
    return pages.dirtyNanos(now);
  }

  /** The file's length in pages, begun ones counted. */
  long pages() {
    return pages.pages();
  }

  /** Unlocks a frame and drops the caller's reference. */
  void release(long frame) {
    pages.release(frame);
  }

  // ---- reading and writing ----------------------------------------------------------------------

  /** {@code generic_file_read}. */
  int read(long offset, MemorySegment target, ReadAhead window) throws ErrnoException {
    boolean[] major = {false};
    long done = 0;
    long length = target.byteSize();
    while (done < length && offset + done < inode().size()) {
      long at = offset + done;
      long frame;
      try {
        frame = reader.lockPage(at >>> Mman.PAGE_SHIFT, window, 0, major);
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
          Math.min(length - done, Mman.PAGE_SIZE - (at & CachedPages.OFFSET)), inode().size() - at);
      if (bytes > 0) {
        MemorySegment.copy(memory.segment(frame), at & CachedPages.OFFSET, target, done, bytes);
        done += bytes;
      }
      pages.release(frame);
    }
    return (int) done;
  }

  /** {@code generic_perform_write}. */
  int write(long offset, MemorySegment source) throws ErrnoException {
    writing.lock();
    try {
      size.settle();
      long before = inode().size();
      if (offset > before && source.byteSize() > 0) {
        pages.zeroTail(before);
      }
      long done = 0;
      while (done < source.byteSize()) {
        long at = offset + done;
        long bytes = Math.min(source.byteSize() - done, Mman.PAGE_SIZE - (at & CachedPages.OFFSET));
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
    boolean fresh = pageStart >= inode().size()
        || at == pageStart && (bytes.byteSize() == Mman.PAGE_SIZE || end >= inode().size());
    long frame = fresh ? lockForOverwrite(index) : reader.lockPage(index, null, 0, new boolean[1]);
    if (frame == PhysicalMemory.NONE) {
      // Cut off meanwhile by the driver.
      frame = lockForOverwrite(index);
    }
    try {
      MemorySegment.copy(bytes, 0, memory.segment(frame), at & CachedPages.OFFSET,
          bytes.byteSize());
      pages.setUpToDate(frame);
      pages.markDirty(frame, index);
      if (end > inode().size()) {
        size.set(end);
      }
    } finally {
      pages.release(frame);
    }
  }

  private long lockForOverwrite(long index) throws ErrnoException {
    while (true) {
      long frame = pages.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        frame = pages.add(index, true);
        if (frame != PhysicalMemory.NONE) {
          return frame;
        }
        continue;
      }
      pages.lock(frame);
      if (pages.isPage(frame, index)) {
        return frame;
      }
      pages.release(frame);
    }
  }

  /** Brings a range in ahead of its use: {@code MADV_WILLNEED}, {@code force_page_cache_readahead}. */
  void readAhead(long first, long end) {
    reader.readAhead(first, end);
  }

  /**
   * A mapping is about to be allowed to write a page ({@code filemap_page_mkwrite}). Precondition: the
   * frame is locked.
   *
   * @throws ErrnoException ENXIO when the page is the file's no more; what the driver throws
   */
  void mkwrite(long frame, long index) throws ErrnoException {
    if (!pages.isPage(frame, index) || index >= pages.pages()) {
      throw new ErrnoException(Errno.ENXIO, behindEnd(index));
    }
    if (storage.hasMkwrite() && !pages.isDirty(frame)) {
      storage.call("pageMkwrite", false, driver -> driver.pageMkwrite(inode(), index));
    }
    pages.markDirty(frame, index);
  }

  String behindEnd(long index) {
    return "%s: page %d lies behind the end of the file, which has %d bytes".formatted(
        inode().path(), index, inode().size());
  }

  /** {@code ftruncate(2)}. */
  void truncate(long bytes) throws ErrnoException {
    writing.lock();
    writeback.pause();
    try {
      size.settle();
      storage.call("truncate", false, driver -> driver.truncate(inode(), bytes));
      long before = inode().size();
      if (bytes > before) {
        pages.zeroTail(before);
      }
      size.set(bytes);
      if (bytes < before) {
        size.dropFrom(bytes);
      }
    } finally {
      writeback.goOn();
      writing.unlock();
    }
    size.settle();
  }

  // ---- writing back and leaving -----------------------------------------------------------------

  /** As {@link Writeback#writeBack}. */
  boolean writeBack(long first, long end, boolean leaving) {
    return writeback.writeBack(first, end, leaving);
  }

  /** As {@link Writeback#sync}. */
  void sync(long first, long end) {
    writeback.sync(first, end);
  }

  /** Has the driver look whether the stored file was changed by others. */
  void revalidate() {
    storage.revalidate();
    size.settle();
  }

  @Override
  public boolean writeOut(long frame) {
    return writeback.writeOut(frame);
  }

  @Override
  public boolean drop(long frame, long shadow) {
    return pages.drop(frame, shadow);
  }

  /** Nobody has the file open or mapped: clean pages go, dirty ones stay to be tried again. */
  void dropClean() {
    pages.dropFrom(0, false);
  }

  /** The driver is gone: all pages go; the number of dirty ones among them is told. */
  long abandon() {
    storage.revoke();
    inode().setResizeListener(null);
    long lost = pages.dirtyCount();
    FileRmap rmap = node().kernel().mappings().rmap();
    rmap.unmap(mapping, 0, Long.MAX_VALUE, true);
    pages.dropFrom(0, true);
    return lost;
  }

  /**
   * Checks that frames, flags and the list of dirty pages agree. For tests, while nothing else runs.
   *
   * @throws IllegalStateException naming what is wrong
   */
  void validate() {
    pages.validate();
  }
}
