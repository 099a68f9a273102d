// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel knows about each frame in use beyond its references: {@code struct page}. Whom it
 * belongs to and at which index, how many page-table entries map it, and a few flags.
 *
 * <p>Thread-safe. Owner and index are written by whoever makes the page, before others can find it,
 * or with the frame locked. The frame's lock ({@link #lock}) is held by one thread at a time while
 * the page is brought in or taken out; it is taken before an anon_vma's, a cache's and a page table's
 * lock and after the address space's.
 */
public final class FrameTable {
  /** Somebody brings the page in or takes it out ({@code PG_locked}). */
  private static final int LOCKED = 1;
  /** Somebody waits for the lock. */
  private static final int WAITED_FOR = 1 << 1;
  /** Was used since it was last looked at ({@code PG_referenced}). */
  public static final int REFERENCED = 1 << 2;
  /** Belongs to the working set ({@code PG_active}). */
  public static final int ACTIVE = 1 << 3;
  /** Differs from what the file or the swap device has ({@code PG_dirty}). */
  public static final int DIRTY = 1 << 4;
  /** Is being written ({@code PG_writeback}). */
  public static final int WRITEBACK = 1 << 5;
  /** Stands in the swap cache; {@link #swapEntry} tells where ({@code PG_swapcache}). */
  public static final int SWAP_CACHED = 1 << 6;
  /** Its contents were brought in whole ({@code PG_uptodate}). */
  public static final int UP_TO_DATE = 1 << 7;
  /** Was found locked into memory by an area ({@code PG_mlocked}). */
  public static final int MLOCKED = 1 << 8;
  /** Came back soon after it had been taken out ({@code PG_workingset}). */
  public static final int WORKINGSET = 1 << 9;

  /** Need not be kept if nobody writes to it again ({@code MADV_FREE}). */
  public static final int LAZY_FREE = 1 << 10;

  /** Was read from swap before anybody wanted it ({@code PG_readahead}). */
  public static final int READ_AHEAD = 1 << 11;

  private static final int STRIPES = 64;
  private static final VarHandle CHUNK = MethodHandles.arrayElementVarHandle(Chunk[].class);
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle OWNERS = MethodHandles.arrayElementVarHandle(FrameOwner[].class);

  /** For 1024 frames; made when the first of them is used. */
  private static final class Chunk {
    final @Nullable FrameOwner[] owners = new FrameOwner[FrameBlock.FRAMES];
    final long[] indexes = new long[FrameBlock.FRAMES];
    final long[] swapEntries = new long[FrameBlock.FRAMES];
    final int[] mapCounts = new int[FrameBlock.FRAMES];
    final int[] flags = new int[FrameBlock.FRAMES];
  }

  private final Chunk[] chunks;
  /** Waiters for frames' locks; a frame's is the one of its number modulo their count. */
  private final Object[] stripes = new Object[STRIPES];

  FrameTable(int chunkCount) {
    chunks = new Chunk[chunkCount];
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Object();
    }
  }

  private Chunk chunk(long frame) {
    int i = (int) (frame >>> FrameBlock.ORDER);
    Chunk chunk = (Chunk) CHUNK.getAcquire(chunks, i);
    if (chunk == null) {
      Chunk fresh = new Chunk();
      Chunk there = (Chunk) CHUNK.compareAndExchange(chunks, i, (Chunk) null, fresh);
      chunk = there == null ? fresh : there;
    }
    return chunk;
  }

  private static int at(long frame) {
    return (int) frame & FrameBlock.INDEX;
  }

  /** Whom the page belongs to; null for the kernel's and drivers' own. */
  public @Nullable FrameOwner owner(long frame) {
    return (FrameOwner) OWNERS.getAcquire(chunk(frame).owners, at(frame));
  }

  /** The index of the page in what it belongs to, in pages. */
  public long index(long frame) {
    return chunk(frame).indexes[at(frame)];
  }

  /** Says whom a page belongs to ({@code page->mapping}, {@code page->index}). */
  public void setOwner(long frame, @Nullable FrameOwner owner, long index) {
    Chunk chunk = chunk(frame);
    chunk.indexes[at(frame)] = index;
    OWNERS.setRelease(chunk.owners, at(frame), owner);
  }

  /** The swap entry of a page that is {@link #SWAP_CACHED}. */
  public long swapEntry(long frame) {
    return (long) LONGS.getAcquire(chunk(frame).swapEntries, at(frame));
  }

  /** Precondition: the frame is locked. */
  public void setSwapEntry(long frame, long entry) {
    LONGS.setRelease(chunk(frame).swapEntries, at(frame), entry);
  }

  /** How many page-table entries hold a reference on the frame ({@code page_mapcount}). */
  public int mapCount(long frame) {
    return (int) INTS.getAcquire(chunk(frame).mapCounts, at(frame));
  }

  /**
   * Counts an entry that was written or cleared; called by page tables alone.
   *
   * @param by 1 or -1
   */
  public void countMapping(long frame, int by) {
    int unused = (int) INTS.getAndAdd(chunk(frame).mapCounts, at(frame), by);
  }

  /** Whether all the given flags are set. */
  public boolean has(long frame, int flags) {
    return (flags(frame) & flags) == flags;
  }

  /** All flags. */
  public int flags(long frame) {
    return (int) INTS.getAcquire(chunk(frame).flags, at(frame));
  }

  /**
   * Sets flags.
   *
   * @return whether one of them was not set before
   */
  public boolean set(long frame, int flags) {
    return ((int) INTS.getAndBitwiseOr(chunk(frame).flags, at(frame), flags) & flags) != flags;
  }

  /**
   * Clears flags.
   *
   * @return whether one of them was set before
   */
  public boolean clear(long frame, int flags) {
    return ((int) INTS.getAndBitwiseAnd(chunk(frame).flags, at(frame), ~flags) & flags) != 0;
  }

  /** Takes the frame's lock if it is free ({@code folio_trylock}). */
  public boolean tryLock(long frame) {
    return set(frame, LOCKED);
  }

  /** Takes the frame's lock, waiting for it ({@code folio_lock}). Not reentrant. */
  public void lock(long frame) {
    if (tryLock(frame)) {
      return;
    }
    boolean interrupted = false;
    Object stripe = stripes[(int) frame & STRIPES - 1];
    synchronized (stripe) {
      while (true) {
        boolean unused = set(frame, WAITED_FOR);
        if (tryLock(frame)) {
          break;
        }
        try {
          stripe.wait();
        } catch (InterruptedException e) {
          // The page is somebody's; who is interrupted finds out when he has it.
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets go of the frame's lock ({@code folio_unlock}). */
  public void unlock(long frame) {
    int before =
        (int) INTS.getAndBitwiseAnd(
            chunk(frame).flags, at(frame), ~(LOCKED | WAITED_FOR));
    if ((before & LOCKED) == 0) {
      throw new IllegalStateException("frame " + frame + " is not locked");
    }
    if ((before & WAITED_FOR) != 0) {
      Object stripe = stripes[(int) frame & STRIPES - 1];
      synchronized (stripe) {
        stripe.notifyAll();
      }
    }
  }

  public boolean isLocked(long frame) {
    return has(frame, LOCKED);
  }

  /** A frame was freed: nothing is known about it any more. */
  void forget(long frame) {
    Chunk chunk = (Chunk) CHUNK.getAcquire(chunks, (int) (frame >>> FrameBlock.ORDER));
    if (chunk == null) {
      return;
    }
    int i = at(frame);
    if ((int) INTS.getAcquire(chunk.mapCounts, i) != 0) {
      throw new IllegalStateException(
          "frame " + frame + " is freed, but mapped by " + chunk.mapCounts[i] + " entries");
    }
    OWNERS.setRelease(chunk.owners, i, (FrameOwner) null);
    INTS.setRelease(chunk.flags, i, 0);
  }
}
