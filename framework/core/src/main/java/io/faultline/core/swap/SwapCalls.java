// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The one way into swap devices. What a device throws becomes an {@link IOException}; a call that
 * outlasts the limit is interrupted by {@link #interruptLate}, and counts as failed even when it then
 * ends well. Thread-safe.
 */
final class SwapCalls {
  /** What is done in a device. */
  @FunctionalInterface
  interface Call {
    void run() throws IOException;
  }

  /** A call under way. Its monitor guards the interrupt against the call's end. */
  private static final class Running {
    final Thread thread = Thread.currentThread();
    final long began = System.nanoTime();
    final long limit;
    boolean ended;
    boolean late;

    Running(long limit) {
      this.limit = limit;
    }
  }

  private final long limitNanos;
  private final Set<Running> running = ConcurrentHashMap.newKeySet();

  /**
   * @param limitNanos how long one call may take
   */
  SwapCalls(long limitNanos) {
    this.limitNanos = limitNanos;
  }

  /**
   * Calls a device on this thread, with the limit.
   *
   * @throws IOException what went wrong, whatever it was
   */
  void run(Call call) throws IOException {
    run(call, limitNanos);
  }

  /** As {@link #run}, without a limit: making a device ready may take long. */
  void runUnlimited(Call call) throws IOException {
    run(call, Long.MAX_VALUE);
  }

  private void run(Call call, long limit) throws IOException {
    // An interrupt that somebody else has sent is not the device's.
    boolean interrupted = Thread.interrupted();
    Running self = new Running(limit);
    running.add(self);
    Throwable thrown = null;
    try {
      call.run();
    } catch (Throwable t) {
      thrown = t;
    } finally {
      running.remove(self);
      synchronized (self) {
        self.ended = true;
      }
      boolean swallowed = Thread.interrupted();
      if (interrupted || swallowed && !self.late) {
        Thread.currentThread().interrupt();
      }
    }
    if (self.late) {
      IOException late =
          new InterruptedIOException(
              "the device did not answer within " + limitNanos / 1_000_000 + " ms");
      late.initCause(thrown);
      throw late;
    }
    if (thrown instanceof IOException e) {
      throw e;
    }
    if (thrown != null) {
      throw new IOException(thrown.toString(), thrown);
    }
  }

  /** Tells the device that a slot is free; what it thinks about that is its business. */
  void free(SwapDevice device, long offset) {
    try {
      run(() -> device.free(new long[] {offset}));
    } catch (IOException e) {
      // A hint.
    }
  }

  /** Interrupts calls that last too long; to be run periodically. */
  void interruptLate() {
    long now = System.nanoTime();
    for (Running one : running) {
      if (now - one.began > one.limit) {
        synchronized (one) {
          if (!one.ended) {
            one.late = true;
            one.thread.interrupt();
          }
        }
      }
    }
  }
}
