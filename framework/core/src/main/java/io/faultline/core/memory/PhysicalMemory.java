// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

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

  private static final VarHandle BLOCK = MethodHandles.arrayElementVarHandle(FrameBlock[].class);
  private static final FrameUse[] USES = FrameUse.values();
  private static final long REFERENCES = FrameBlock.REFERENCES;
  private static final int RUN_RETRIES = 8;

  private final Backing backing;
  private final MemorySegment arena;
  private final long frames;
  private final long zeroFrame;
  /** Made one by one as memory is used; an element changes once, from null, with the lock held. */
  private final FrameBlock[] blocks;
  private final FrameTable table;
  private final VmEvents events = new VmEvents();
  private final Workingset workingset;
  private volatile @Nullable MemoryPressure pressure;
  private volatile IoBus bus = IoBus.NONE;

  /** Guards what is free, and the trees and uses of the blocks. Nothing is locked below it. */
  private final Object lock = new Object();
  private final FrameAllocator allocator;

  /**
   * @param bytes a multiple of {@value Mman#PAGE_SIZE}, at least four pages
   * @throws IllegalArgumentException for another size
   * @throws java.io.UncheckedIOException when the host has no such address space
   */
  public PhysicalMemory(long bytes) {
    this(bytes, Backing.reserve(checkSize(bytes)));
  }

  PhysicalMemory(long bytes, Backing backing) {
    this.backing = backing;
    frames = bytes >>> Mman.PAGE_SHIFT;
    arena = backing.segment();
    blocks = new FrameBlock[(int) (frames + FrameBlock.INDEX >>> FrameBlock.ORDER)];
    table = new FrameTable(blocks.length);
    workingset = new Workingset(frames);
    allocator = new FrameAllocator(arena, frames, blocks, table, lock);
    zeroFrame = allocate(FrameUse.KERNEL);
  }

  private static long checkSize(long bytes) {
    if (bytes % Mman.PAGE_SIZE != 0 || bytes < 4L * Mman.PAGE_SIZE
        || bytes >>> Mman.PAGE_SHIFT > Integer.MAX_VALUE - FrameBlock.FRAMES) {
      throw new IllegalArgumentException("bytes = " + bytes + ": give a multiple of "
          + Mman.PAGE_SIZE + " from 16384 to less than 8 TiB");
    }
    return bytes;
  }

  /** All of physical memory: frame {@code n} begins at byte {@code n * 4096}. */
  public MemorySegment arena() {
    return arena;
  }

  /** What is known about each frame beyond its references. */
  public FrameTable table() {
    return table;
  }

  /** What was counted since this memory was made: {@code /proc/vmstat}. */
  public VmEvents events() {
    return events;
  }

  /** Of the pages that leave memory, to swap and to files. */
  public Workingset workingset() {
    return workingset;
  }

  /** The number of frames, frame 0 included. */
  public long frames() {
    return frames;
  }

  /** Whether a frame's number lies behind memory: an access to it goes to the {@link #bus}. */
  public boolean isIo(long frame) {
    return frame >= frames;
  }

  /** What answers behind memory. */
  public IoBus bus() {
    return bus;
  }

  /** Says what answers behind memory; once, before anything is mapped. */
  public void setBus(IoBus devices) {
    bus = devices;
  }

  /**
   * A frame filled with zeros, with one reference.
   *
   * @return its number, or {@link #NONE} when memory is used up
   */
  public long allocate(FrameUse use) {
    MemoryPressure relief = pressure;
    if (relief == null) {
      return allocator.allocate(use, 0);
    }
    long frame = allocator.allocate(use, relief.reserve(use));
    while (frame == NONE && relief.reclaim(1)) {
      frame = allocator.allocate(use, relief.reserve(use));
    }
    if (frame != NONE && allocator.free() < relief.low()) {
      relief.wake();
    }
    return frame;
  }

  /**
   * As {@link #allocate(FrameUse)}, but takes only what is free, and leaves a reserve: for who could
   * do without ({@code GFP_NOWAIT}).
   *
   * @return its number, or {@link #NONE}
   */
  public long allocateIfPlenty(FrameUse use) {
    MemoryPressure relief = pressure;
    return allocator.allocate(use, relief == null ? 0 : relief.low());
  }

  /**
   * As {@link #allocate(FrameUse)}, but never waits for reclaim, and may take the reserve: for who
   * holds locks ({@code GFP_ATOMIC}).
   *
   * @return its number, or {@link #NONE} when memory is used up
   */
  public long allocateNow(FrameUse use) {
    return allocator.allocate(use, 0);
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
    if (order == 0) {
      return allocate(use);
    }
    MemoryPressure relief = pressure;
    long floor = relief == null ? 0 : relief.reserve(use);
    long first = allocator.allocateRun(order, use, floor);
    // What is freed need not lie together: a few tries, not for ever.
    for (int i = 0; first == NONE && relief != null && i < RUN_RETRIES; i++) {
      if (!relief.reclaim(1 << order)) {
        break;
      }
      first = allocator.allocateRun(order, use, floor);
    }
    return first;
  }

  /** Who makes room when frames run out; set once, before the memory is used by several threads. */
  public void setPressure(MemoryPressure relief) {
    pressure = relief;
  }

  /** Frames that are free at this moment; a hint. */
  public long free() {
    return allocator.free();
  }

  /**
   * Takes all references of a frame away if there are exactly so many ({@code folio_ref_freeze}): from
   * then on nobody can take one. The caller frees it by {@link #freeFrozen}.
   */
  boolean tryFreeze(long frame, int expected) {
    FrameBlock block = block(frame);
    int i = (int) frame & FrameBlock.INDEX;
    long before = block.state(i);
    return (before & REFERENCES) == expected && block.changeState(i, before, before - expected);
  }

  void freeFrozen(long frame) {
    FrameBlock block = block(frame);
    int i = (int) frame & FrameBlock.INDEX;
    synchronized (lock) {
      long before = block.state(i);
      if ((before & REFERENCES) != 0
          || !block.changeState(i, before, before + FrameBlock.ONE_GENERATION)) {
        throw new IllegalStateException("frame " + frame + " is not frozen");
      }
      allocator.freed((int) frame, block, i);
    }
  }

  /** The block of a frame that was handed out at some time. */
  private FrameBlock block(long frame) {
    FrameBlock block = frame < 0 || frame >= frames ? null
        : (FrameBlock) BLOCK.getAcquire(blocks, (int) (frame >>> FrameBlock.ORDER));
    if (block == null) {
      throw new IllegalStateException("frame " + frame + " was never handed out");
    }
    return block;
  }

  /**
   * Takes one more reference. The page of zeros is not counted.
   *
   * @throws IllegalStateException when the frame is free
   */
  public void get(long frame) {
    if (!tryGet(frame)) {
      throw new IllegalStateException("frame " + frame + " is free: no reference can be taken");
    }
  }

  /**
   * Takes one more reference unless the frame is free: {@code folio_try_get}. Whoever comes by the
   * number without holding what keeps the frame alive checks afterwards that it is still the one.
   */
  public boolean tryGet(long frame) {
    if (frame == zeroFrame) {
      return true;
    }
    FrameBlock block = block(frame);
    int i = (int) frame & FrameBlock.INDEX;
    while (true) {
      long before = block.state(i);
      if ((before & REFERENCES) == 0) {
        return false;
      }
      if (block.changeState(i, before, before + 1)) {
        return true;
      }
    }
  }

  /** Takes a reference if the frame is live and still of this generation. */
  boolean tryGet(long frame, int generation) {
    FrameBlock block = block(frame);
    int i = (int) frame & FrameBlock.INDEX;
    while (true) {
      long before = block.state(i);
      if ((before & REFERENCES) == 0 || (int) (before >>> 32) != generation) {
        return false;
      }
      if (frame == zeroFrame || block.changeState(i, before, before + 1)) {
        return true;
      }
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
    FrameBlock block = block(frame);
    int i = (int) frame & FrameBlock.INDEX;
    while (true) {
      long before = block.state(i);
      long references = before & REFERENCES;
      if (references == 0) {
        throw new IllegalStateException("frame " + frame + " is free: no reference can be dropped");
      }
      if (references > 1) {
        if (block.changeState(i, before, before - 1)) {
          return;
        }
      } else {
        synchronized (lock) {
          if (block.changeState(i, before, before - 1 + FrameBlock.ONE_GENERATION)) {
            allocator.freed((int) frame, block, i);
            return;
          }
        }
      }
    }
  }

  /**
   * Drops one reference on each of several frames.
   *
   * @param count how many of the array's first elements count
   */
  public void putAll(long[] frameNumbers, int count) {
    if (count == 0) {
      return;
    }
    // Most of them are last references: one lock for all.
    synchronized (lock) {
      for (int i = 0; i < count; i++) {
        put(frameNumbers[i]);
      }
    }
  }

  /** The number of references; 0 for a free frame. */
  public int references(long frame) {
    return (int) (block(frame).state((int) frame & FrameBlock.INDEX) & REFERENCES);
  }

  /** Whether the frame is allocated now; false for numbers that are no frame of this memory. */
  public boolean isLive(long frame) {
    return frame > 0 && frame < frames
        && BLOCK.getAcquire(blocks, (int) (frame >>> FrameBlock.ORDER)) != null
        && references(frame) != 0;
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
    return USES[block(frame).use((int) frame & FrameBlock.INDEX)];
  }

  /** What a frame is used for at this moment; null when it is free or no frame that can be used. */
  public @Nullable FrameUse useIfLive(long frame) {
    return isLive(frame) ? USES[block(frame).use((int) frame & FrameBlock.INDEX)] : null;
  }

  /** A live frame is used for something else from now on. */
  public void changeUse(long frame, FrameUse use) {
    allocator.changeUse(block(frame), (int) frame & FrameBlock.INDEX, use);
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

  /** The kernel's own handle for a live frame; it owns no reference of its own. */
  public Page page(long frame) {
    checkIsPage(frame);
    return FramePage.ofKernel(this, frame);
  }

  /**
   * A handle for a live frame that a driver's callback is shown: it can drop the references that it
   * takes, and no others.
   */
  public Page lend(long frame) {
    checkIsPage(frame);
    return FramePage.lent(this, frame);
  }

  private void checkIsPage(long frame) {
    if (!isLive(frame)) {
      throw new IllegalStateException("frame " + frame + " is free: it is no page");
    }
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
    return (int) (block(frame).state((int) frame & FrameBlock.INDEX) >>> 32);
  }

  /** How many frames were handed out so far ({@code pgalloc}). */
  public long handedOut() {
    return allocator.handedOut();
  }

  /** Is shown a frame in use. */
  @FunctionalInterface
  public interface FrameVisitor {
    /** Called without a lock: the frame may be another's by now. */
    void frame(long frame, FrameUse use);
  }

  /** Shows all frames in use, in ascending order. Those that come or go meanwhile may be missed. */
  public void forEach(FrameVisitor visitor) {
    for (int b = 0; b < blocks.length; b++) {
      FrameBlock block = (FrameBlock) BLOCK.getAcquire(blocks, b);
      if (block == null) {
        continue;
      }
      long first = (long) b << FrameBlock.ORDER;
      int end = (int) Math.min(FrameBlock.FRAMES, frames - first);
      for (int i = b == 0 ? 1 : 0; i < end; i++) {
        if ((block.state(i) & REFERENCES) != 0) {
          visitor.frame(first + i, USES[block.use(i)]);
        }
      }
    }
  }

  /** The accounts now. */
  public FrameCounts counts() {
    return allocator.counts();
  }

  /**
   * Checks every invariant.
   *
   * @throws IllegalStateException with details when one is broken
   */
  public void validate() {
    allocator.validate();
  }

  /**
   * Gives the memory back to the host. Nothing of it may be used afterwards; what is used
   * nevertheless reads as zeros or throws {@link IllegalStateException}.
   */
  @Override
  public void close() {
    backing.release();
  }
}
