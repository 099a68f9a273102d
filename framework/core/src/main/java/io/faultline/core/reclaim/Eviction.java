// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.reclaim;

import io.faultline.core.area.Area;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FilePages;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapEntry;
import io.faultline.core.swap.SwapSpace;
import io.faultline.core.swap.SwapWriter;
import io.faultline.mm.Mman;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Takes a batch of frames out of memory ({@code shrink_folio_list}): unmap all, flush once, write
 * what differs from the device, free what nobody wants any more. Confined to one thread.
 *
 * <pre>
 *   isolate   one reference and the lock of each frame are ours
 *   unmap     anonymous: entry → swap entry, the frame stands in the swap cache
 *             shared memory, file: entry → none, the frame stands in its mapping
 *   flush     the entries' references are gone: who still has one, has pinned the page
 *   write     in one call for the whole batch
 *   free      frames with no reference but the cache's and ours
 * </pre>
 *
 * <p>Whatever fails, a page is never lost: it stays in the cache where it stands, and the next access
 * finds it there.
 */
final class Eviction {
  /** Frames in a batch ({@code SWAP_CLUSTER_MAX}). */
  static final int BATCH = 32;

  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final SwapSpace swap;
  private final HeldSpaces spaces;
  private final long[] isolated = new long[BATCH];
  private int count;
  private @Nullable SwapWriter writer;
  private boolean noRoom;

  Eviction(PhysicalMemory memory, SwapSpace swap, HeldSpaces spaces) {
    this.memory = memory;
    this.frames = memory.table();
    this.swap = swap;
    this.spaces = spaces;
  }

  boolean isFull() {
    return count == BATCH;
  }

  /** Takes over a frame with its lock and one reference. */
  void add(long frame) {
    isolated[count++] = frame;
  }

  /**
   * Does it all; the frames are let go of afterwards, and so are the spaces.
   *
   * @return how many frames were freed
   */
  int run() {
    try {
      for (int i = 0; i < count; i++) {
        if (!unmap(isolated[i])) {
          letGo(i);
        }
      }
      spaces.close();
      write();
      int freed = 0;
      for (int i = 0; i < count; i++) {
        if (isolated[i] != PhysicalMemory.NONE && free(i)) {
          freed++;
        }
      }
      return freed;
    } finally {
      if (writer != null) {
        writer.close();
      }
      spaces.endDying();
    }
  }

  /** Whether a page that should have gone to swap found no device that takes it. */
  boolean foundNoRoom() {
    return noRoom;
  }

  private void letGo(int i) {
    long frame = isolated[i];
    isolated[i] = PhysicalMemory.NONE;
    swap.unlock(frame);
    memory.put(frame);
  }

  // ---- unmap ------------------------------------------------------------------------------------

  private boolean unmap(long frame) {
    FrameUse use = memory.use(frame);
    if (use == FrameUse.FILE) {
      boolean all = spaces.walk(frame, this::unmapFileEntry);
      return all;
    }
    if (use == FrameUse.ANONYMOUS && frames.has(frame, FrameTable.LAZY_FREE)
        && !frames.has(frame, FrameTable.SWAP_CACHED)) {
      return unmapLazily(frame);
    }
    if (use == FrameUse.SHMEM && isUntouched(frame)) {
      return spaces.walk(frame, this::unmapFileEntry);
    }
    long entry = slotFor(frame);
    if (entry == SwapEntry.NONE) {
      return false;
    }
    return use == FrameUse.ANONYMOUS
        ? spaces.walk(
            frame,
            (gather, area, address, pte) -> {
              gather.add(address, frame);
              swap.duplicate(entry);
              return Pte.swap(entry);
            })
        : spaces.walk(frame, this::unmapFileEntry);
  }

  /** Shared memory that nobody has written to is zeros, and need not be kept anywhere. */
  private boolean isUntouched(long frame) {
    boolean[] written = {frames.has(frame, FrameTable.DIRTY)};
    boolean all =
        spaces.walk(
            frame,
            (gather, area, address, entry) -> {
              written[0] |= Pte.isDirty(entry);
              return entry;
            });
    return all && !written[0];
  }

  private long unmapFileEntry(FrameGather gather, Area area, long address, long entry) {
    long frame = Pte.frame(entry);
    // Pages of files are dirty from the moment that an entry lets them be written.
    if (Pte.isDirty(entry) && memory.use(frame) != FrameUse.FILE) {
      frames.set(frame, FrameTable.DIRTY);
    }
    gather.add(address, frame);
    return Pte.NONE;
  }

  /** After MADV_FREE a page that nobody has written to since is just dropped. */
  private boolean unmapLazily(long frame) {
    boolean[] written = {false};
    boolean all =
        spaces.walk(
            frame,
            (gather, area, address, entry) -> {
              if (Pte.isDirty(entry)) {
                written[0] = true;
                return entry;
              }
              gather.add(address, frame);
              return Pte.NONE;
            });
    if (written[0]) {
      frames.clear(frame, FrameTable.LAZY_FREE);
      frames.set(frame, FrameTable.ACTIVE);
    }
    return all && !written[0];
  }

  /** The slot that the frame stands for; a new one if it has none. */
  private long slotFor(long frame) {
    if (frames.has(frame, FrameTable.SWAP_CACHED)) {
      // A write that failed is tried again, on the same device.
      long entry = frames.swapEntry(frame);
      boolean canWrite = !frames.has(frame, FrameTable.DIRTY)
          || writer() != null && writer().isHere(entry);
      return canWrite ? entry : SwapEntry.NONE;
    }
    SwapWriter to = writer();
    long entry = to == null ? SwapEntry.NONE : to.take(frame);
    noRoom |= entry == SwapEntry.NONE;
    return entry;
  }

  private @Nullable SwapWriter writer() {
    if (writer == null && !noRoom) {
      writer = swap.writer();
      noRoom = writer == null;
    }
    return writer;
  }

  // ---- write ------------------------------------------------------------------------------------

  private void write() {
    long[] dirty = new long[count];
    int length = 0;
    for (int i = 0; i < count; i++) {
      long frame = isolated[i];
      if (frame != PhysicalMemory.NONE
          && frames.has(frame, FrameTable.SWAP_CACHED | FrameTable.DIRTY)
          && isUnused(frame)) {
        dirty[length++] = frame;
      }
    }
    SwapWriter to = writer;
    if (length == 0 || to == null) {
      return;
    }
    try {
      to.write(dirty, length);
      memory.events().count(VmEvent.PSWPOUT, length);
      memory.events().count(VmEvent.NR_WRITTEN, length);
      memory.events().count(VmEvent.NR_VMSCAN_WRITE, length);
      memory.events().count(VmEvent.PGPGOUT, (long) length * Mman.PAGE_SIZE / 1024);
      for (int i = 0; i < length; i++) {
        frames.clear(dirty[i], FrameTable.DIRTY);
      }
    } catch (IOException e) {
      // The device has counted it; the pages stay where they are.
      noRoom = true;
    }
  }

  /** Nobody maps it, and nobody has a reference but its caches and we. */
  private boolean isUnused(long frame) {
    int caches = memory.use(frame) == FrameUse.ANONYMOUS ? 0 : 1;
    if (frames.has(frame, FrameTable.SWAP_CACHED)) {
      caches++;
    }
    return frames.mapCount(frame) == 0 && memory.references(frame) == caches + 1;
  }

  // ---- free -------------------------------------------------------------------------------------

  private boolean free(int i) {
    long frame = isolated[i];
    FrameUse use = memory.use(frame);
    boolean lazily = use == FrameUse.ANONYMOUS && !frames.has(frame, FrameTable.SWAP_CACHED);
    boolean freed =
        switch (use) {
          case ANONYMOUS -> dropAnonymous(frame);
          case SHMEM -> dropShared(frame);
          default -> dropFile(frame);
        };
    isolated[i] = PhysicalMemory.NONE;
    if (!freed) {
      memory.events().count(VmEvent.PGACTIVATE, frames.set(frame, FrameTable.ACTIVE) ? 1 : 0);
      swap.unlock(frame);
      memory.put(frame);
    } else {
      memory.events().count(
          use == FrameUse.FILE ? VmEvent.PGSTEAL_FILE : VmEvent.PGSTEAL_ANON);
      memory.events().count(VmEvent.PGLAZYFREED, lazily ? 1 : 0);
    }
    return freed;
  }

  private boolean dropAnonymous(long frame) {
    if (!isUnused(frame)) {
      return false;
    }
    if (frames.has(frame, FrameTable.SWAP_CACHED)) {
      if (frames.has(frame, FrameTable.DIRTY)) {
        return false;
      }
      swap.noteEviction(frames.swapEntry(frame));
      swap.remove(frame);
    }
    frames.unlock(frame);
    memory.put(frame);
    return true;
  }

  /** The swap entry takes the page's place in its mapping. */
  private boolean dropShared(long frame) {
    FileMapping mapping = frames.owner(frame) instanceof FileMapping m ? m : null;
    boolean written =
        isUnused(frame)
            && frames.has(frame, FrameTable.SWAP_CACHED)
            && !frames.has(frame, FrameTable.DIRTY);
    if (mapping != null && !frames.has(frame, FrameTable.SWAP_CACHED)) {
      return !frames.has(frame, FrameTable.DIRTY) && isUnused(frame)
          && mapping.cache().replace(frames.index(frame), frame, PhysicalMemory.NONE);
    }
    if (mapping == null || !written) {
      if (frames.has(frame, FrameTable.SWAP_CACHED)) {
        swap.remove(frame);
      }
      frames.set(frame, FrameTable.DIRTY);
      return false;
    }
    long entry = frames.swapEntry(frame);
    swap.noteEviction(entry);
    swap.duplicate(entry);
    swap.remove(frame);
    // It goes with its lock: who waited for that would have a reference.
    if (mapping.cache().replace(frames.index(frame), frame, entry)) {
      return true;
    }
    swap.free(entry);
    frames.set(frame, FrameTable.DIRTY);
    return false;
  }

  /** A page that differs from the file's is stored first. */
  private boolean dropFile(long frame) {
    FilePages pages =
        frames.owner(frame) instanceof FileMapping mapping ? mapping.pages() : null;
    if (pages == null || !isUnused(frame)
        || frames.has(frame, FrameTable.DIRTY) && !writeOut(pages, frame)
        || !pages.drop(frame, memory.workingset().evictedFromFile())) {
      return false;
    }
    frames.unlock(frame);
    memory.put(frame);
    return true;
  }

  private boolean writeOut(FilePages pages, long frame) {
    boolean written = pages.writeOut(frame);
    memory.events().count(VmEvent.NR_VMSCAN_WRITE, written ? 1 : 0);
    return written;
  }
}
