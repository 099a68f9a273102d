// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/**
 * The device's interrupt and how often it came, as with {@code uio_pdrv_genirq}: it is level-triggered,
 * the handler counts it and masks it, and the program in user space unmasks it when it is done. Raised
 * while masked it waits, and comes when it is unmasked.
 *
 * <p>Three words in a page that outlives the driver. Thread-safe; guarded by its monitor.
 */
final class Interrupts {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final long COUNT = 0;
  /** Masked, not enabled: a new page is of zeros, and the interrupt is enabled at first. */
  private static final long MASKED = 4;
  private static final long PENDING = 8;

  private final MemorySegment words;

  /** @param state one page, nobody else's */
  Interrupts(Page state) {
    words = state.segment();
  }

  private boolean is(long word) {
    return words.get(INT, word) != 0;
  }

  private void set(long word, boolean value) {
    words.set(INT, word, value ? 1 : 0);
  }

  /** How many came, modulo 2<sup>32</sup>. */
  synchronized int count() {
    return words.get(INT, COUNT);
  }

  /** {@link Registers#ENABLED} and {@link Registers#IS_PENDING}. */
  synchronized int status() {
    return (is(MASKED) ? 0 : Registers.ENABLED) | (is(PENDING) ? Registers.IS_PENDING : 0);
  }

  boolean isEnabled() {
    return (status() & Registers.ENABLED) != 0;
  }

  boolean isPending() {
    return (status() & Registers.IS_PENDING) != 0;
  }

  /** The device raises it. */
  synchronized void raise() {
    if (is(MASKED)) {
      set(PENDING, true);
    } else {
      deliver();
    }
  }

  private void deliver() {
    set(PENDING, false);
    set(MASKED, true);
    words.set(INT, COUNT, count() + 1);
    notifyAll();
  }

  /** {@code irqcontrol}. */
  synchronized void control(boolean enable) {
    set(MASKED, !enable);
    if (enable && is(PENDING)) {
      deliver();
    }
  }

  /**
   * Waits for a count other than the last one that was seen.
   *
   * @return the count, which is the same when the time is over
   */
  synchronized int await(int seen, long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (count() == seen) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        break;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return count();
  }
}
