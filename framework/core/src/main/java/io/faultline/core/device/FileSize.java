// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.Inode;
import io.faultline.mm.Mman;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that no page of a file lies behind its end, whoever changes its size ({@code
 * mm/truncate.c}). What a driver changes in the middle of a call is taken care of by the next who
 * {@linkplain #settle settles}. Thread-safe.
 */
final class FileSize implements Inode.ResizeListener {
  private static final long NOTHING = -1;

  private final DeviceNode node;
  private final Inode inode;
  private final CachedPages pages;
  private final FileMapping mapping;
  private final Object changes = new Object();
  /** A thread that sets the size and takes care of the pages itself. */
  private volatile @Nullable Thread resizer;
  /** The driver has changed the size, and the pages do not know yet; guarded by {@link #changes}. */
  private long cut = NOTHING;
  private long grown = NOTHING;
  private volatile boolean unsettled;

  FileSize(DeviceNode node, Inode inode, CachedPages pages, FileMapping mapping) {
    this.node = node;
    this.inode = inode;
    this.pages = pages;
    this.mapping = mapping;
  }

  /** Sets the size, and leaves the pages to the caller. */
  synchronized void set(long size) {
    resizer = Thread.currentThread();
    try {
      inode.resize(size);
    } finally {
      resizer = null;
    }
  }

  /**
   * Drops all pages from an offset on, and unmaps them ({@code truncate_pagecache}): once before, so
   * that pages have no entries, and once after, for private copies that faults have made meanwhile.
   */
  void dropFrom(long size) {
    long first = CachedPages.pages(size);
    FileRmap rmap = node.kernel().mappings().rmap();
    rmap.unmap(mapping, first, Long.MAX_VALUE, true);
    pages.dropFrom(first, true);
    rmap.unmap(mapping, first, Long.MAX_VALUE, true);
    pages.zeroTail(size);
  }

  /** The driver says that the stored file has another size. */
  @Override
  public void resized(long oldSize, long newSize) {
    if (resizer == Thread.currentThread()) {
      return;
    }
    synchronized (changes) {
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
      synchronized (changes) {
        cutAt = cut;
        grownFrom = grown;
        cut = NOTHING;
        grown = NOTHING;
        unsettled = false;
      }
      if (cutAt != NOTHING) {
        dropFrom(cutAt);
      }
      if (grownFrom != NOTHING && (grownFrom & CachedPages.OFFSET) != 0) {
        forgetTail(grownFrom >>> Mman.PAGE_SHIFT);
      }
    }
  }

  /** The page that held the old end has more bytes now: it is read anew, unless it was written. */
  private void forgetTail(long index) {
    long frame = pages.acquire(index);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    pages.lock(frame);
    try {
      if (pages.isPage(frame, index) && !pages.isDirty(frame)) {
        pages.remove(frame, index);
      } else {
        return;
      }
    } finally {
      pages.release(frame);
    }
    node.kernel().mappings().rmap().unmap(mapping, index, index + 1, false);
  }
}
