// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What keeps a region's other accesses away while a processor reads and writes a register under {@code
 * lock}. Ordinary accesses take no lock: each is announced in its {@link CallSlot} before it looks at
 * {@link #isHeldByAnother}; who locks does so before it looks at what is announced.
 *
 * <p>Nobody is waited for without end: a holder that has the lock for longer than its driver's time limit
 * loses it. Thread-safe.
 */
final class RegionLock {
  private volatile @Nullable Thread holder;
  // Guarded by this object's monitor. Tells one holder from the next.
  private long turn;

  /** Whether an access of this thread has to wait; no memory access is reordered with the look. */
  boolean isHeldByAnother() {
    Thread now = holder;
    return now != null && now != Thread.currentThread();
  }

  /**
   * Waits until nobody else holds the lock, and takes it.
   *
   * @param millis how long each holder may have it
   * @return what {@link #unlock} wants
   */
  synchronized long lock(long millis) {
    boolean unused = awaitFree(millis, true);
    holder = Thread.currentThread();
    return ++turn;
  }

  synchronized void unlock(long mine) {
    if (turn == mine) {
      holder = null;
      notifyAll();
    }
  }

  /**
   * Waits until nobody holds the lock.
   *
   * @param millis how long each holder may have it
   * @param always also when the thread is interrupted
   * @return false when it was, and did not wait
   */
  synchronized boolean awaitFree(long millis, boolean always) {
    boolean interrupted = false;
    long seen = turn;
    long end = end(millis);
    while (holder != null && (always || !interrupted)) {
      if (turn != seen) {
        seen = turn;
        end = end(millis);
      }
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        // Whoever it was is in a call that hangs.
        holder = null;
        notifyAll();
        break;
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return always || !interrupted;
  }

  private static long end(long millis) {
    return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
