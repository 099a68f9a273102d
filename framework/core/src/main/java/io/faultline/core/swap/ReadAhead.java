// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many pages a process, or a piece of shared memory, had better read from swap at once ({@code
 * swapin_nr_pages}): many as long as those that were read ahead are wanted afterwards, one alone where
 * they are not, which is what random access looks like. Thread-safe; a race costs a wrong guess.
 */
public final class ReadAhead {
  private final AtomicInteger hits = new AtomicInteger();
  private volatile long previous = SwapEntry.NONE;
  private volatile int window = SwapReader.CLUSTER;

  /** A page that was read ahead is wanted. */
  public void hit() {
    hits.incrementAndGet();
  }

  /** How many to read for an entry that is wanted and not here; a power of two, at most a cluster. */
  public int window(long entry) {
    int wanted = hits.getAndSet(0);
    long distance = Math.abs(entry - previous);
    previous = entry;
    int next;
    if (wanted == 0) {
      // One after the other is a hint too.
      next = distance == 1 ? 2 : 1;
    } else {
      next = Integer.highestOneBit(wanted + 1) << 1;
    }
    // It shrinks by halves: a few misses among many hits are no new habit.
    next = Math.clamp(next, Math.max(1, window / 2), SwapReader.CLUSTER);
    window = next;
    return next;
  }
}
