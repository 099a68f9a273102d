// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Which frames are free, and what the others are used for: hands out single frames and runs, and takes
 * frames back whose last reference is gone. Thread-safe, with one short lock.
 */
final class FrameAllocator {
  private static final VarHandle BLOCK = MethodHandles.arrayElementVarHandle(FrameBlock[].class);
  private static final int USE_COUNT = FrameUse.values().length;
  private static final long REFERENCES = FrameBlock.REFERENCES;
  private static final int CACHE = 256;

  private final MemorySegment arena;
  private final long frames;
  /** Made one by one as memory is used; an element changes once, from null, with the lock held. */
  private final FrameBlock[] blocks;
  private final FrameTable table;

  /** Guards all that follows, and the trees and uses of the blocks. Nothing is locked below it. */
  private final Object lock;
  private final long[] counts = new long[USE_COUNT];
  /** Read without the lock as a hint. */
  private long free;
  private long handedOut;
  /** Freed single frames, the latest last: warm in the host's caches. */
  private final int[] cache = new int[CACHE];
  private int cached;
  /** By order: no block before this one has a free run of the order. */
  private final int[] hints = new int[PhysicalMemory.MAX_ORDER + 1];

  /**
   * @param blocks none of them made yet; shared with {@link PhysicalMemory}
   * @param lock guards what is free
   */
  FrameAllocator(
      MemorySegment arena, long frames, FrameBlock[] blocks, FrameTable table, Object lock) {
    this.arena = arena;
    this.frames = frames;
    this.blocks = blocks;
    this.table = table;
    this.lock = lock;
    this.free = frames - 1;
  }

  /** Frames that are free at this moment; a hint. */
  long free() {
    return free;
  }

  /**
   * Hands out a frame, filled with zeros, if more than a number of frames are free.
   *
   * @return {@link PhysicalMemory#NONE} if not
   */
  long allocate(FrameUse use, long floor) {
    int frame;
    boolean dirty;
    synchronized (lock) {
      if (free <= floor) {
        return PhysicalMemory.NONE;
      }
      if (cached > 0) {
        frame = cache[--cached];
      } else {
        frame = takeRun(0);
        if (frame < 0) {
          return PhysicalMemory.NONE;
        }
      }
      counts[use.ordinal()]++;
      free--;
      handedOut++;
      dirty = blocks[frame >>> FrameBlock.ORDER].handOut(frame & FrameBlock.INDEX, use);
    }
    // Nobody else has heard of the frame yet: it is cleared without the lock.
    if (dirty) {
      clear(frame, 1);
    }
    return frame;
  }

  /**
   * Hands out 2<sup>order</sup> frames that lie together, filled with zeros, and leaves a number of
   * frames free.
   *
   * @return the first; {@link PhysicalMemory#NONE} when there is no such run
   */
  long allocateRun(int order, FrameUse use, long floor) {
    int run = 1 << order;
    int first;
    boolean dirty = false;
    synchronized (lock) {
      if (free - run < floor) {
        return PhysicalMemory.NONE;
      }
      first = takeRun(order);
      if (first < 0 && cached > 0) {
        emptyCache(0);
        first = takeRun(order);
      }
      if (first < 0) {
        return PhysicalMemory.NONE;
      }
      FrameBlock block = blocks[first >>> FrameBlock.ORDER];
      for (int i = 0; i < run; i++) {
        dirty |= block.handOut((first & FrameBlock.INDEX) + i, use);
      }
      counts[use.ordinal()] += run;
      free -= run;
      handedOut += run;
    }
    if (dirty) {
      clear(first, run);
    }
    return first;
  }

  /**
   * Takes a run out of the blocks' trees.
   *
   * <p>Precondition: the lock is held.
   *
   * @return its first frame, or -1
   */
  private int takeRun(int order) {
    for (int b = hints[order]; b < blocks.length; b++) {
      FrameBlock block = blocks[b];
      if (block == null) {
        int end = (int) Math.min(FrameBlock.FRAMES, frames - ((long) b << FrameBlock.ORDER));
        block = new FrameBlock(b == 0 ? 1 : 0, end);
        BLOCK.setRelease(blocks, b, block);
      }
      if (block.largest() >= order) {
        hints[order] = b;
        return (b << FrameBlock.ORDER) + block.take(order);
      }
    }
    hints[order] = blocks.length;
    return -1;
  }

  /**
   * Gives cached frames, the coldest, back to their blocks.
   *
   * <p>Precondition: the lock is held.
   *
   * @param keep how many stay
   */
  private void emptyCache(int keep) {
    int leaving = cached - keep;
    for (int i = 0; i < leaving; i++) {
      int frame = cache[i];
      int b = frame >>> FrameBlock.ORDER;
      FrameBlock block = blocks[b];
      block.giveBack(frame & FrameBlock.INDEX);
      for (int order = block.largest(); order >= 0; order--) {
        hints[order] = Math.min(hints[order], b);
      }
    }
    System.arraycopy(cache, leaving, cache, 0, keep);
    cached = keep;
  }

  private void clear(int first, int run) {
    arena.asSlice((long) first << Mman.PAGE_SHIFT, (long) run << Mman.PAGE_SHIFT).fill((byte) 0);
  }

  /** Takes back a frame whose last reference is gone. Precondition: the lock is held. */
  void freed(int frame, FrameBlock block, int i) {
    table.forget(frame);
    counts[block.use(i)]--;
    free++;
    if (cached == CACHE) {
      emptyCache(CACHE / 2);
    }
    cache[cached++] = frame;
  }

  /** A live frame is used for something else from now on. */
  void changeUse(FrameBlock block, int i, FrameUse use) {
    synchronized (lock) {
      counts[block.use(i)]--;
      block.changeUse(i, use);
      counts[use.ordinal()]++;
    }
  }

  /** How many frames were handed out so far ({@code pgalloc}). */
  long handedOut() {
    synchronized (lock) {
      return handedOut;
    }
  }

  /** The accounts now. */
  FrameCounts counts() {
    synchronized (lock) {
      long[] c = counts;
      return new FrameCounts(frames, free, c[0], c[1], c[2], c[3], c[4], c[5]);
    }
  }

  /**
   * Checks every invariant.
   *
   * @throws IllegalStateException with details when one is broken
   */
  void validate() {
    synchronized (lock) {
      long[] seen = new long[USE_COUNT];
      boolean[] inCache = new boolean[(int) frames];
      for (int i = 0; i < cached; i++) {
        int frame = cache[i];
        check(!inCache[frame], () -> "frame " + frame + " is cached twice as free");
        inCache[cache[i]] = true;
      }
      long nowFree = 0;
      for (int b = 0; b < blocks.length; b++) {
        int first = b << FrameBlock.ORDER;
        int end = (int) Math.min(FrameBlock.FRAMES, frames - first);
        FrameBlock block = blocks[b];
        if (block == null) {
          nowFree += end;
          continue;
        }
        block.validate(b);
        for (int i = b == 0 ? 1 : 0; i < end; i++) {
          boolean live = (block.state(i) & REFERENCES) != 0;
          int places = (live ? 1 : 0) + (block.isFree(i) ? 1 : 0) + (inCache[first + i] ? 1 : 0);
          int index = i;
          check(
              places == 1,
              () -> "frame " + (first + index) + " is live: " + live + ", free in its block: "
                  + block.isFree(index) + ", cached as free: " + inCache[first + index]);
          if (live) {
            seen[block.use(i)]++;
          } else {
            nowFree++;
          }
        }
      }
      check(
          Arrays.equals(seen, counts),
          () -> "frames by use are " + Arrays.toString(seen) + ", counted "
              + Arrays.toString(counts));
      long freeNow = nowFree;
      check(freeNow == free, () -> freeNow + " frames are free, counted " + free);
    }
  }

  private static void check(boolean right, Supplier<String> otherwise) {
    if (!right) {
      throw new IllegalStateException(otherwise.get());
    }
  }
}
