// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.Kernel;
import java.util.concurrent.TimeUnit;

/** Writes files back that have been dirty for a while: what {@code kworker/…flush} does in Linux. */
final class WritebackThread implements AutoCloseable {
  private static final long JOIN_MILLIS = 1000;
  private static final int CENTISECOND_MILLIS = 10;

  private final Kernel kernel;
  private final KernelLog log;
  private final long intervalMillis;
  private final long expireNanos;
  private final Thread thread;

  /**
   * @param intervalCentis how often it looks, in hundredths of a second
   * @param expireCentis how long a page may be dirty before it is written back
   */
  WritebackThread(Kernel kernel, KernelLog log, int intervalCentis, int expireCentis) {
    this.kernel = kernel;
    this.log = log;
    this.intervalMillis = Math.max(1L, intervalCentis) * CENTISECOND_MILLIS;
    // Never 0, which means all at once.
    this.expireNanos = Math.max(
        1, TimeUnit.MILLISECONDS.toNanos((long) expireCentis * CENTISECOND_MILLIS));
    this.thread = Thread.ofPlatform().daemon().name("faultline-writeback").start(this::run);
  }

  private void run() {
    boolean failed = false;
    try {
      while (!Thread.interrupted()) {
        Thread.sleep(intervalMillis);
        try {
          kernel.writeback(expireNanos);
        } catch (RuntimeException | Error e) {
          // Goes on, or nothing would be written back any more. Said once.
          if (!failed) {
            failed = true;
            log.warning("the write-back of files failed and goes on: " + e);
          }
        }
      }
    } catch (InterruptedException closed) {
      // The end.
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
