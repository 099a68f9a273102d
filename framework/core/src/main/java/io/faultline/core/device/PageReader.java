// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Finds pages of a file in the cache and brings missing ones in ({@code mm/filemap.c}, {@code
 * mm/readahead.c}). A page that is being brought in is locked; who wants it waits. Thread-safe.
 */
final class PageReader {
  private static final int KIB_A_PAGE = Mman.PAGE_SIZE / 1024;

  private final FileStorage storage;
  private final CachedPages pages;
  private final FileSize size;
  private final PhysicalMemory memory;
  private final FrameTable frames;

  PageReader(FileStorage storage, CachedPages pages, FileSize size, PhysicalMemory memory) {
    this.storage = storage;
    this.pages = pages;
    this.size = size;
    this.memory = memory;
    this.frames = memory.table();
  }

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
      size.settle();
      if (index < 0 || index >= pages.pages()) {
        return PhysicalMemory.NONE;
      }
      long frame = pages.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        majors[0] = true;
        readIn(index, window == null ? 1 : window.next(index, flags));
        continue;
      }
      frames.lock(frame);
      if (pages.isPage(frame, index) && index < pages.pages()) {
        return frame;
      }
      pages.release(frame);
    }
  }

  /** A page that is in memory and that nobody has locked, as {@link #lockPage}; else NONE. */
  long tryLockPage(long index) {
    long frame = index < pages.pages() ? pages.acquire(index) : PhysicalMemory.NONE;
    if (frame == PhysicalMemory.NONE) {
      return frame;
    }
    if (!frames.tryLock(frame)) {
      memory.put(frame);
      return PhysicalMemory.NONE;
    }
    if (pages.isPage(frame, index) && index < pages.pages()) {
      return frame;
    }
    pages.release(frame);
    return PhysicalMemory.NONE;
  }

  /** Brings pages in, the first one at least, unless somebody else does ({@code read_pages}). */
  private void readIn(long index, int wanted) throws ErrnoException {
    int most = (int) Math.min(wanted, pages.pages() - index);
    long[] fresh = new long[Math.max(1, most)];
    int count = 0;
    while (count < most && (count == 0 || !pages.has(index + count))) {
      long frame;
      try {
        frame = pages.add(index + count, count == 0);
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
        pages.remove(fresh[i], index + i);
        pages.release(fresh[i]);
      }
      if (count == 1 || !storage.node().driver().isPresent()) {
        pages.remove(fresh[0], index);
        pages.release(fresh[0]);
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
      pages.remove(frame, index);
      pages.release(frame);
      throw refused;
    }
    arrived(frame, index);
  }

  private void read(long index, long[] fresh, int count) throws ErrnoException {
    MemorySegment[] segments = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      segments[i] = memory.segment(fresh[i]);
    }
    memory.events().count(VmEvent.PGPGIN, (long) count * KIB_A_PAGE);
    storage.call(
        "readPages", false, fresh, count,
        driver -> driver.readPages(storage.inode(), index, segments));
  }

  private void arrived(long frame, long index) {
    pages.zeroBehindEnd(frame, index);
    pages.setUpToDate(frame);
    pages.release(frame);
  }

  /** Brings a range in ahead of its use: {@code MADV_WILLNEED}, {@code force_page_cache_readahead}. */
  void readAhead(long first, long end) {
    long last = Math.min(end, pages.pages());
    for (long index = Math.max(0, first); index < last;) {
      if (pages.has(index)) {
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
    size.settle();
  }
}
