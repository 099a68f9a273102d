// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.reclaim;

import io.faultline.core.device.HeldLocks;
import io.faultline.core.jfr.ReclaimEvent;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.MemoryPressure;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.memory.VmEvents;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageReclaim;
import io.faultline.core.swap.SwapSpace;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes room: the clock's hand ({@code shrink_node}), direct reclaim by the thread that wants memory,
 * and {@link #runInBackground} for a thread of its own, {@code kswapd}. Thread-safe; several threads
 * reclaim side by side, each with a stretch of frames before it.
 */
public final class Reclaimer implements MemoryPressure, PageReclaim {
  /** What comes of an attempt to make room. */
  public enum Outcome {
    /** At least one frame was freed, by whomever. */
    FREED,
    /** Nothing can be freed. */
    NOTHING,
    /** Nothing could be, since others were changing a space that pages are mapped in, or storing them. */
    BUSY
  }

  /** Goes over frames once. */
  private static final class Sweep {
    int freed;
    boolean busy;
  }

  /** More frames than asked for are freed at once, so that the next ones find some. */
  private static final int AT_LEAST = Eviction.BATCH;
  /** Frames that one batch looks at, at most. */
  private static final int STRETCH = 512;
  /** Used → inactive → out: who finds nothing in so many rounds finds nothing. */
  private static final int ROUNDS = 3;
  private static final long PAUSE_NANOS = 10_000_000L;

  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final SwapSpace swap;
  private final IntFunction<@Nullable AddressSpace> spaces;
  private final Watermarks watermarks;
  private final VmEvents events;
  private final AtomicLong hand = new AtomicLong();
  /** A device's callback that wants memory while it writes pages must do without, on any thread. */
  private final Supplier<HeldLocks> held;
  private volatile @Nullable Thread background;

  /**
   * @param spaces the address space of a process, null when it has none any more
   * @param held the calling thread's locks
   */
  public Reclaimer(
      PhysicalMemory memory, SwapSpace swap, IntFunction<@Nullable AddressSpace> spaces,
      Supplier<HeldLocks> held) {
    this.held = held;
    this.memory = memory;
    this.frames = memory.table();
    this.swap = swap;
    this.spaces = spaces;
    this.watermarks = Watermarks.of(memory.frames());
    this.events = memory.events();
  }

  public Watermarks watermarks() {
    return watermarks;
  }

  @Override
  public long reserve(FrameUse use) {
    return use == FrameUse.PAGE_TABLE || use == FrameUse.KERNEL ? 0 : watermarks.min();
  }

  @Override
  public long low() {
    return watermarks.low();
  }

  @Override
  public void wake() {
    Thread thread = background;
    if (thread != null) {
      LockSupport.unpark(thread);
    }
  }

  @Override
  public boolean reclaim(int wanted) {
    return tryReclaim(wanted) == Outcome.FREED;
  }

  /** As {@link #reclaim}, and says why nothing was freed. */
  public Outcome tryReclaim(int wanted) {
    HeldLocks mine = held.get();
    if (mine.isReclaiming()) {
      return Outcome.NOTHING;
    }
    mine.setReclaiming(true);
    events.count(VmEvent.ALLOCSTALL_NORMAL);
    try {
      Sweep sweep = shrink(Math.max(wanted, AT_LEAST), true);
      if (sweep.freed > 0 || memory.free() > watermarks.min()) {
        return Outcome.FREED;
      }
      return sweep.busy ? Outcome.BUSY : Outcome.NOTHING;
    } finally {
      mine.setReclaiming(false);
    }
  }

  /**
   * Waits for {@link #wake} and frees frames up to the high watermark, until the thread is
   * interrupted.
   */
  public void runInBackground() {
    HeldLocks mine = held.get();
    background = Thread.currentThread();
    mine.setReclaiming(true);
    try {
      while (!Thread.currentThread().isInterrupted()) {
        LockSupport.park(this);
        while (memory.free() < watermarks.high() && !Thread.currentThread().isInterrupted()) {
          events.count(VmEvent.PAGEOUTRUN);
          if (shrink(AT_LEAST, false).freed == 0) {
            LockSupport.parkNanos(this, PAUSE_NANOS);
            break;
          }
        }
      }
    } finally {
      background = null;
      mine.setReclaiming(false);
    }
  }

  /** Frees up to so many frames, and a few more. */
  private Sweep shrink(int wanted, boolean direct) {
    ReclaimEvent event = ReclaimEvent.start();
    long budget = ROUNDS * memory.frames();
    Sweep sweep = new Sweep();
    while (sweep.freed < wanted && budget > 0) {
      long from = hand.getAndAdd(STRETCH) % memory.frames();
      budget -= STRETCH;
      shrinkStretch(from, Math.min(memory.frames(), from + STRETCH), direct, sweep);
    }
    if (event != null) {
      event.finish(direct, ROUNDS * memory.frames() - budget, sweep.freed, memory.free());
    }
    return sweep;
  }

  private void shrinkStretch(long from, long to, boolean direct, Sweep sweep) {
    boolean room = swap.devices().hasRoom();
    long frame = from;
    while (frame < to) {
      HeldSpaces held = new HeldSpaces(frames, spaces, false);
      try {
        Eviction eviction = new Eviction(memory, swap, held);
        Aging aging = new Aging(memory, held);
        int looked = 0;
        for (; frame < to && !eviction.isFull(); frame++) {
          if (isolate(frame, room)) {
            looked++;
            if (aging.look(frame, memory.use(frame) != FrameUse.FILE) == Aging.Fate.EVICT) {
              eviction.add(frame);
            } else {
              swap.unlock(frame);
              memory.put(frame);
            }
          } else {
            if (isBeingStored(frame)) {
              sweep.busy = true;
              events.count(VmEvent.NR_VMSCAN_IMMEDIATE_RECLAIM);
            }
          }
        }
        int gone = eviction.run();
        sweep.freed += gone;
        sweep.busy |= held.missed();
        events.count(direct ? VmEvent.PGSCAN_DIRECT : VmEvent.PGSCAN_KSWAPD, looked);
        events.count(direct ? VmEvent.PGSTEAL_DIRECT : VmEvent.PGSTEAL_KSWAPD, gone);
      } finally {
        held.close();
      }
    }
  }

  @Override
  public int pageOut(long[] wanted, int count) {
    boolean room = swap.devices().hasRoom();
    int freed = 0;
    int i = 0;
    while (i < count) {
      HeldSpaces held = new HeldSpaces(frames, spaces, true);
      try {
        Eviction eviction = new Eviction(memory, swap, held);
        for (; i < count && !eviction.isFull(); i++) {
          long frame = wanted[i];
          if (frames.tryLock(frame)) {
            if (isCandidate(frame, room) && !isPinned(frame) && !isKept(held, frame)) {
              eviction.add(frame);
              continue;
            }
            swap.unlock(frame);
          }
          memory.put(frame);
        }
        freed += eviction.run();
      } finally {
        held.close();
      }
    }
    events.count(VmEvent.PGSCAN_PROACTIVE, count);
    events.count(VmEvent.PGSTEAL_PROACTIVE, freed);
    return freed;
  }

  private static boolean isKept(HeldSpaces held, long frame) {
    boolean[] kept = {false};
    boolean all =
        held.walk(
            frame,
            (gather, area, address, entry) -> {
              kept[0] |= area.hasAny(Aging.NEVER_TAKEN);
              return entry;
            });
    return kept[0] || !all;
  }

  /** Takes a reference and the lock of a frame that could leave; false when it cannot now. */
  private boolean isolate(long frame, boolean room) {
    if (!isCandidate(frame, room) || !memory.tryGet(frame)) {
      return false;
    }
    if (frames.tryLock(frame)) {
      // It may have been freed and given to another before the reference was ours.
      if (isCandidate(frame, room) && !isPinned(frame)) {
        boolean file = memory.use(frame) == FrameUse.FILE;
        events.count(file ? VmEvent.PGSCAN_FILE : VmEvent.PGSCAN_ANON);
        return true;
      }
      swap.unlock(frame);
    }
    memory.put(frame);
    return false;
  }

  private boolean isBeingStored(long frame) {
    return memory.useIfLive(frame) == FrameUse.FILE && frames.has(frame, FrameTable.WRITEBACK);
  }

  private boolean isCandidate(long frame, boolean room) {
    FrameUse use = memory.useIfLive(frame);
    if (use == null || frames.has(frame, FrameTable.WRITEBACK)) {
      return false;
    }
    return switch (use) {
      case ANONYMOUS -> canLeave(frame, room);
      case SHMEM -> canLeave(frame, room) || !frames.has(frame, FrameTable.DIRTY);
      case FILE -> frames.owner(frame) != null;
      default -> false;
    };
  }

  /** A page without a file needs a place to go to, unless nobody wants it or it is there already. */
  private boolean canLeave(long frame, boolean room) {
    return frames.has(frame, FrameTable.SWAP_CACHED) || frames.has(frame, FrameTable.LAZY_FREE)
        || frames.owner(frame) != null && room;
  }

  /** Somebody has a reference beside the entries, the caches and us: a driver, a copy under way. */
  private boolean isPinned(long frame) {
    int caches = frames.has(frame, FrameTable.SWAP_CACHED) ? 1 : 0;
    if (memory.use(frame) != FrameUse.ANONYMOUS) {
      caches++;
    }
    return memory.references(frame) > frames.mapCount(frame) + caches + 1;
  }
}
