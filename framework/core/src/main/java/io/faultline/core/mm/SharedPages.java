// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PageCache;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.swap.ReadAhead;
import io.faultline.core.swap.SwapReader;
import io.faultline.core.swap.SwapSpace;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Vma;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one shared-memory object, in memory and in swap ({@code shmem_get_folio}): where a page
 * was swapped out, its swap entry stands in its place in the index. Thread-safe.
 */
final class SharedPages {
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final FileMapping mapping;
  private final PageCache cache;
  private final SwapSpace swap;
  private final SwapReader reader;
  private final ReadAhead habits = new ReadAhead();

  SharedPages(PhysicalMemory memory, FileMapping mapping, SwapSpace swap, SwapReader reader) {
    this.memory = memory;
    this.frames = memory.table();
    this.mapping = mapping;
    this.cache = mapping.cache();
    this.swap = swap;
    this.reader = reader;
  }

  /** Whether a page has been made and is in memory. */
  boolean isResident(long index) {
    return cache.get(index) != PhysicalMemory.NONE;
  }

  /** Whether a page has been made, here or in swap. */
  boolean isMade(long index) {
    return isResident(index) || cache.value(index) != PhysicalMemory.NONE;
  }

  /**
   * A page, made or brought in if need be, with a reference for the caller.
   *
   * @param index in pages, within the object
   */
  Nopage page(long index) {
    boolean major = false;
    while (true) {
      long frame = cache.acquire(index);
      if (frame != PhysicalMemory.NONE) {
        if (isSettled(index, frame)) {
          return major ? Nopage.major(memory.page(frame)) : Nopage.minor(memory.page(frame));
        }
        memory.put(frame);
        continue;
      }
      long entry = cache.value(index);
      if (entry == PhysicalMemory.NONE) {
        if (!make(index)) {
          return Nopage.OOM;
        }
        continue;
      }
      major = true;
      SwapReader.Result result = swapIn(index, entry);
      if (result != SwapReader.Result.DONE) {
        return result == SwapReader.Result.OUT_OF_MEMORY ? Nopage.OOM : Nopage.SIGBUS;
      }
    }
  }

  /** Maps the pages of a range that are in memory ({@code filemap_map_pages}). */
  void mapAround(Vma vma, long first, long last, PageMapper mapper) {
    for (long index = first; index <= last; index++) {
      long frame = cache.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        continue;
      }
      // Who takes the page out has it locked, and is not waited for.
      if (frames.tryLock(frame)) {
        if (cache.get(index) == frame) {
          map(vma, index, frame, mapper);
        }
        swap.unlock(frame);
      }
      memory.put(frame);
    }
  }

  private void map(Vma vma, long index, long frame, PageMapper mapper) {
    try {
      mapper.insertPage(
          vma.start() + (index - vma.pageOffset() << Mman.PAGE_SHIFT), memory.page(frame));
    } catch (ErrnoException thereIsOne) {
      // It stays.
    }
  }

  /** Brings a page that is in swap into memory, as far as that is possible. */
  void bringBack(long index) {
    if (cache.value(index) != PhysicalMemory.NONE) {
      Page page = page(index).page();
      if (page != null) {
        memory.put(page.frameNumber());
      }
    }
  }

  /** Who takes the page out has it locked: waits for him, and sees whether it is still there. */
  private boolean isSettled(long index, long frame) {
    if (!frames.isLocked(frame)) {
      return true;
    }
    frames.lock(frame);
    frames.unlock(frame);
    return cache.get(index) == frame;
  }

  private boolean make(long index) {
    long fresh = memory.allocate(FrameUse.SHMEM);
    if (fresh == PhysicalMemory.NONE) {
      return false;
    }
    frames.setOwner(fresh, mapping, index);
    boolean unused = cache.addForValue(index, PhysicalMemory.NONE, fresh);
    memory.put(fresh);
    return true;
  }

  /** From the swap cache to its place in the index, whose claim on the slot ends ({@code shmem_swapin_folio}). */
  private SwapReader.Result swapIn(long index, long entry) {
    long frame = swap.acquire(entry);
    if (frame == PhysicalMemory.NONE) {
      return cache.value(index) == entry
          ? reader.bringIn(entry, habits.window(entry))
          : SwapReader.Result.DONE;
    }
    frames.lock(frame);
    boolean ours = frames.has(frame, FrameTable.SWAP_CACHED) && frames.swapEntry(frame) == entry
        && cache.value(index) == entry;
    if (ours) {
      reader.noteUse(frame, habits);
      boolean refault = swap.isRefault(entry);
      swap.remove(frame);
      memory.changeUse(frame, FrameUse.SHMEM);
      // It is nowhere else any more.
      frames.set(frame, FrameTable.DIRTY);
      frames.setOwner(frame, mapping, index);
      if (refault) {
        frames.set(frame, FrameTable.ACTIVE | FrameTable.WORKINGSET);
      }
      if (cache.addForValue(index, entry, frame)) {
        swap.free(entry);
      }
    }
    swap.unlock(frame);
    memory.put(frame);
    return SwapReader.Result.DONE;
  }

  /**
   * Empties the pages of a range: {@code FALLOC_FL_PUNCH_HOLE}. The caller has unmapped them
   * everywhere. A page that somebody has reached meanwhile stays, and is filled with zeros, so that all
   * go on seeing the same memory.
   */
  void punchHole(long firstPage, long endPage) {
    cache.forEachValue(
        (index, entry) -> {
          if (index >= firstPage && index < endPage) {
            long unused = cache.removeRange(index, index + 1, swap::free);
          }
        });
    cache.forEach(
        (index, frame) -> {
          if (index >= firstPage && index < endPage) {
            punch(index);
          }
        });
  }

  private void punch(long index) {
    long frame = cache.acquire(index);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    memory.segment(frame).fill((byte) 0);
    if (!cache.replace(index, frame, PhysicalMemory.NONE)) {
      memory.put(frame);
    }
  }

  /** The object is gone: all its pages go, wherever they are. */
  void clear() {
    long unused = cache.removeRange(0, Long.MAX_VALUE, swap::free);
  }

  /** Why a page that is in swap cannot be brought in; null when it is not there. */
  @Nullable String swapFailure(long index) {
    long entry = cache.value(index);
    return entry == PhysicalMemory.NONE ? null : swap.devices().lastFailure(entry);
  }
}
