// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.memory.PageCache;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.SwapDevice;
import io.faultline.kernel.SwapInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One device in use ({@code swap_info_struct}): its slots, its part of the swap cache, and the guard
 * of every call into it: what it throws becomes an {@link IOException}, and a call that lasts too
 * long is interrupted. Thread-safe.
 */
public final class SwapArea {
  /** A device that failed to write is left alone for this long. */
  private static final long PENALTY_NANOS = 500_000_000L;
  /** As {@code /proc/swaps} says of a file that was removed. */
  private static final String GONE = " (deleted)";

  private final int type;
  private final String name;
  private final String kind;
  private volatile SwapDevice device;
  private final int priority;
  private final PageCache cache;
  private final SwapCalls calls;
  /** Held by the one who writes; outermost. */
  private final ReentrantLock writing = new ReentrantLock();
  /** Guards what follows. */
  private final Object monitor = new Object();
  private final SlotMap map;
  private boolean writable = true;
  private long reads;
  private long writes;
  private long failures;
  private long restUntil;
  private @Nullable String lastFailure;

  SwapArea(int type, SwapDevice device, String name, int slots, int priority,
      PhysicalMemory memory, SwapCalls calls) {
    this.type = type;
    this.device = device;
    this.name = name;
    this.kind = device.type();
    this.priority = priority;
    this.cache = new PageCache(memory);
    this.calls = calls;
    this.map = new SlotMap(slots);
  }

  /** Its number in swap entries. */
  public int type() {
    return type;
  }

  public String name() {
    return name;
  }

  SwapDevice device() {
    return device;
  }

  int priority() {
    return priority;
  }

  /** Its part of the swap cache, by offset. */
  PageCache cache() {
    return cache;
  }

  ReentrantLock writing() {
    return writing;
  }

  /** Whether it is given pages now: not while it is switched off, full, or has just failed. */
  boolean admits() {
    synchronized (monitor) {
      return writable && map.used() < map.slots()
          && (restUntil == 0 || System.nanoTime() - restUntil >= 0);
    }
  }

  /** Free slots that can be taken; 0 when it is being switched off. */
  long free() {
    synchronized (monitor) {
      return writable ? map.slots() - map.used() : 0;
    }
  }

  /** The driver is gone: nothing can be read or written any more. */
  void revoke() {
    setWritable(false);
    device = new GoneDevice(name, map.slots());
    synchronized (monitor) {
      lastFailure = GoneDevice.WHY;
    }
  }

  /** Whether its driver is gone, and nothing is left but claims on pages that nobody has any more. */
  boolean isGone() {
    return device instanceof GoneDevice;
  }

  boolean isWritable() {
    synchronized (monitor) {
      return writable;
    }
  }

  void setWritable(boolean may) {
    synchronized (monitor) {
      writable = may;
    }
  }

  long slots() {
    return map.slots();
  }

  long used() {
    synchronized (monitor) {
      return map.used();
    }
  }

  /** Takes a slot for a page that will stand in the cache; {@link SwapEntry#NONE} when full. */
  long take() {
    synchronized (monitor) {
      int slot = writable ? map.take() : -1;
      return slot < 0 ? SwapEntry.NONE : SwapEntry.of(type, slot);
    }
  }

  void duplicate(long offset) {
    synchronized (monitor) {
      map.increment((int) offset);
    }
  }

  /** Drops an entry's claim; returns the claims that are left. */
  int release(long offset) {
    boolean free;
    int left;
    synchronized (monitor) {
      free = map.decrement((int) offset);
      left = free ? 0 : map.count((int) offset);
    }
    if (free) {
      giveUp(offset);
    }
    return left;
  }

  int count(long offset) {
    synchronized (monitor) {
      return map.isTaken((int) offset) ? map.count((int) offset) : 0;
    }
  }

  /** A page was put into the cache for a slot that is in use; false when it is not any more. */
  boolean markCached(long offset) {
    synchronized (monitor) {
      if (!map.isTaken((int) offset) || map.count((int) offset) == 0
          || map.isCached((int) offset)) {
        return false;
      }
      map.setCached((int) offset);
      return true;
    }
  }

  /** The page left the cache. */
  void clearCached(long offset) {
    boolean free;
    synchronized (monitor) {
      free = map.clearCached((int) offset);
    }
    if (free) {
      giveUp(offset);
    }
  }

  /** The device hears that a slot is unused before anybody can take it again. */
  private void giveUp(long offset) {
    calls.free(device, offset);
    synchronized (monitor) {
      map.release((int) offset);
    }
  }

  /** Whether a slot has claims and no page in the cache: it could be read ahead. */
  boolean isOnlyThere(long offset) {
    synchronized (monitor) {
      return map.isTaken((int) offset) && map.count((int) offset) > 0
          && !map.isCached((int) offset);
    }
  }

  void setShadow(long offset, int shadow) {
    synchronized (monitor) {
      map.setShadow((int) offset, shadow);
    }
  }

  int shadow(long offset) {
    synchronized (monitor) {
      return map.shadow((int) offset);
    }
  }

  /**
   * Writes pages; the write lock is held.
   *
   * @throws IOException when it did not keep them
   */
  void write(long[] slots, MemorySegment[] pages) throws IOException {
    try {
      calls.run(() -> device.write(slots, pages));
      synchronized (monitor) {
        writes += slots.length;
        restUntil = 0;
      }
    } catch (IOException e) {
      failed(e, true);
      throw e;
    }
  }

  /**
   * Reads pages.
   *
   * @throws IOException when it did not bring them
   */
  void read(long[] slots, MemorySegment[] pages) throws IOException {
    try {
      calls.run(() -> device.read(slots, pages));
      synchronized (monitor) {
        reads += slots.length;
      }
    } catch (IOException e) {
      failed(e, false);
      throw e;
    }
  }

  private void failed(IOException e, boolean write) {
    synchronized (monitor) {
      failures++;
      lastFailure = (write ? "write: " : "read: ") + e.getMessage();
      if (write) {
        restUntil = System.nanoTime() + PENALTY_NANOS;
      }
    }
  }

  /** Why it failed last, or null. */
  @Nullable String lastFailure() {
    synchronized (monitor) {
      return lastFailure;
    }
  }

  SwapInfo info() {
    synchronized (monitor) {
      return new SwapInfo(
          isGone() ? name + GONE : name, kind, map.slots(), map.used(), priority, reads, writes,
          failures, lastFailure);
    }
  }

  void validate() {
    synchronized (monitor) {
      map.validate(name);
    }
  }
}
