// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Simulated physical memory: frames of {@value Mman#PAGE_SIZE} bytes in one off-heap arena, named by
 * their number ({@code pfn}), reference counted, filled with zeros when they are handed out.
 *
 * <p>Frame 0 is never handed out, so that 0 can stand for "no frame" in a page-table entry. Memory
 * of the host is used only for frames that were written.
 *
 * <p>Thread-safe. Counting references takes no lock; handing out and taking back takes one short one.
 */
public final class PhysicalMemory implements AutoCloseable {
  /** No frame. */
  public static final long NONE = -1;

  /** The largest run that {@link #allocateRun} gives is 2 to the power of this many frames. */
  public static final int MAX_ORDER = 10;

  private static final VarHandle STATE = MethodHandles.arrayElementVarHandle(long[].class);
  private static final FrameUse[] USES = FrameUse.values();
  /** References in the low half of a frame's state, generation in the high half. */
  private static final long REFERENCES = 0xFFFF_FFFFL;
  private static final long ONE_GENERATION = 1L << 32;

  private final Arena lifetime = Arena.ofShared();
  private final MemorySegment arena;
  private final long frames;
  private final long zeroFrame;

  private final long[] state;
  private final Object lock = new Object();
  // Guarded by lock.
  private final byte[] uses;
  private final boolean[] written;
  private final long[] counts = new long[USES.length];
  private long free;
  private long cursor = 1;

  /**
   * @param bytes a multiple of {@value Mman#PAGE_SIZE}, at least four pages
   * @throws IllegalArgumentException for another size
   */
  public PhysicalMemory(long bytes) {
    if (bytes % Mman.PAGE_SIZE != 0 || bytes < 4L * Mman.PAGE_SIZE
        || bytes >>> Mman.PAGE_SHIFT > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "bytes = " + bytes + ": give a multiple of " + Mman.PAGE_SIZE + " from 16384 to 8 TiB");
    }
    frames = bytes >>> Mman.PAGE_SHIFT;
    arena = Backing.reserve(bytes, lifetime);
    state = new long[(int) frames];
    uses = new byte[(int) frames];
    written = new boolean[(int) frames];
    free = frames - 1;
    zeroFrame = allocate(FrameUse.KERNEL);
  }

  /** All of physical memory: frame {@code n} begins at byte {@code n * 4096}. */
  public MemorySegment arena() {
    return arena;
  }

  /** The number of frames, frame 0 included. */
  public long frames() {
    return frames;
  }

  /**
   * A frame filled with zeros, with one reference.
   *
   * @return its number, or {@link #NONE} when memory is used up
   */
  public long allocate(FrameUse use) {
    return allocateRun(0, use);
  }

  /**
   * 2<sup>order</sup> frames with consecutive numbers, the first a multiple of 2<sup>order</sup>,
   * filled with zeros, each with one reference and freed on its own.
   *
   * @param order 0 to {@value #MAX_ORDER}
   * @return the number of the first, or {@link #NONE} when there is no such run
   * @throws IllegalArgumentException for another order
   */
  public long allocateRun(int order, FrameUse use) {
    if (order < 0 || order > MAX_ORDER) {
      throw new IllegalArgumentException("order = " + order + ": give 0 to " + MAX_ORDER);
    }
    int run = 1 << order;
    synchronized (lock) {
      if (free < run) {
        return NONE;
      }
      long start = (cursor + run - 1) & -run;
      for (long tried = 0; tried <= frames + run; tried += run, start += run) {
        if (start + run > frames) {
          start = order == 0 ? 1 : run;
        }
        if (isFree(start, run)) {
          for (long f = start; f < start + run; f++) {
            uses[(int) f] = (byte) use.ordinal();
            if (written[(int) f]) {
              segment(f).fill((byte) 0);
            }
            written[(int) f] = true;
            STATE.setVolatile(state, (int) f, (state[(int) f] & ~REFERENCES) + 1);
          }
          counts[use.ordinal()] += run;
          free -= run;
          cursor = start + run;
          return start;
        }
      }
      return NONE;
    }
  }

  private boolean isFree(long start, int run) {
    if (start + run > frames) {
      return false;
    }
    for (long f = start; f < start + run; f++) {
      if ((state[(int) f] & REFERENCES) != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes one more reference. The page of zeros is not counted.
   *
   * @throws IllegalStateException when the frame is free
   */
  public void get(long frame) {
    if (frame == zeroFrame) {
      return;
    }
    long before = (long) STATE.getAndAdd(state, Math.toIntExact(frame), 1L);
    if ((before & REFERENCES) == 0) {
      STATE.getAndAdd(state, (int) frame, -1L);
      throw new IllegalStateException("frame " + frame + " is free: no reference can be taken");
    }
  }

  /**
   * Drops one reference; the last one frees the frame. The page of zeros is not counted.
   *
   * @throws IllegalStateException when the frame is free already
   */
  public void put(long frame) {
    if (frame == zeroFrame) {
      return;
    }
    int f = Math.toIntExact(frame);
    while (true) {
      long before = (long) STATE.getVolatile(state, f);
      long references = before & REFERENCES;
      if (references == 0) {
        throw new IllegalStateException("frame " + frame + " is free: no reference can be dropped");
      }
      if (references == 1) {
        synchronized (lock) {
          if (STATE.compareAndSet(state, f, before, before - 1 + ONE_GENERATION)) {
            counts[uses[f]]--;
            free++;
            return;
          }
        }
      } else if (STATE.compareAndSet(state, f, before, before - 1)) {
        return;
      }
    }
  }

  /** The number of references; 0 for a free frame. */
  public int references(long frame) {
    return (int) ((long) STATE.getVolatile(state, Math.toIntExact(frame)) & REFERENCES);
  }

  /** Whether the frame is allocated now; false for numbers that are no frame of this memory. */
  public boolean isLive(long frame) {
    return frame > 0 && frame < frames && references(frame) != 0;
  }

  /**
   * What a frame is used for.
   *
   * @throws IllegalStateException when the frame is free
   */
  public FrameUse use(long frame) {
    if (!isLive(frame)) {
      throw new IllegalStateException("frame " + frame + " is free: it has no use");
    }
    return USES[uses[(int) frame]];
  }

  /** The bytes of a frame. Good only as long as the caller holds a reference. */
  public MemorySegment segment(long frame) {
    return arena.asSlice(frame << Mman.PAGE_SHIFT, Mman.PAGE_SIZE);
  }

  /** Copies the bytes of one frame to another. */
  public void copy(long from, long to) {
    MemorySegment.copy(
        arena, from << Mman.PAGE_SHIFT, arena, to << Mman.PAGE_SHIFT, Mman.PAGE_SIZE);
  }

  /** The one shared page of zeros ({@code empty_zero_page}): never freed, never to be written. */
  public long zeroFrame() {
    return zeroFrame;
  }

  /** A handle for a live frame; it owns no reference of its own. */
  public Page page(long frame) {
    if (!isLive(frame)) {
      throw new IllegalStateException("frame " + frame + " is free: it is no page");
    }
    return new FramePage(this, frame, generation(frame), null);
  }

  /**
   * The frame behind a driver's page.
   *
   * @return {@link #NONE} when it is no page of this memory, or its last reference is gone
   */
  public long frameOf(Page page) {
    return page instanceof FramePage p && p.memory == this && p.isLive() ? p.frame : NONE;
  }

  /**
   * Takes over one reference from the driver that answered with the page: from here on it is the
   * kernel's, who drops it by {@link #put}.
   *
   * @return the frame, or {@link #NONE} when it is no live page of this memory or the driver holds no
   *     reference on it that it could give
   */
  public long accept(Page page) {
    return page instanceof FramePage p && p.memory == this && p.giveAway() ? p.frame : NONE;
  }

  int generation(long frame) {
    return (int) ((long) STATE.getVolatile(state, (int) frame) >>> 32);
  }

  /** Takes a reference if the frame is live and still of this generation. */
  boolean tryGet(long frame, int generation) {
    int f = (int) frame;
    while (true) {
      long before = (long) STATE.getVolatile(state, f);
      if ((before & REFERENCES) == 0 || (int) (before >>> 32) != generation) {
        return false;
      }
      if (frame == zeroFrame || STATE.compareAndSet(state, f, before, before + 1)) {
        return true;
      }
    }
  }

  /** The accounts now. */
  public FrameCounts counts() {
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
  public void validate() {
    synchronized (lock) {
      long[] seen = new long[USES.length];
      long live = 0;
      for (int f = 1; f < frames; f++) {
        if ((state[f] & REFERENCES) != 0) {
          seen[uses[f]]++;
          live++;
        }
      }
      if (!Arrays.equals(seen, counts)) {
        throw new IllegalStateException(
            "frames by use are " + Arrays.toString(seen) + ", counted " + Arrays.toString(counts));
      }
      if (live + free != frames - 1) {
        throw new IllegalStateException(
            live + " live and " + free + " free frames do not make " + (frames - 1));
      }
    }
  }

  /** Gives the memory back to the host. No frame, segment or Cpu may be used afterwards. */
  @Override
  public void close() {
    lifetime.close();
  }
}
