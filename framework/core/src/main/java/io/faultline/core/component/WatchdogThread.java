// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.device.Watchdog;

/** The one thread that the kernel has: a daemon that looks after hanging drivers. */
final class WatchdogThread implements AutoCloseable {
  private static final long JOIN_MILLIS = 1000;

  private final Runnable watchdog;
  private final KernelLog log;
  private final Thread thread;

  WatchdogThread(Runnable watchdog, KernelLog log) {
    this.watchdog = watchdog;
    this.log = log;
    this.thread = Thread.ofPlatform().daemon().name("faultline-watchdog").start(this::run);
  }

  private void run() {
    boolean failed = false;
    try {
      while (!Thread.interrupted()) {
        try {
          watchdog.run();
        } catch (RuntimeException | Error e) {
          // Goes on: without it, the next hanging driver would hang for ever. Said once.
          if (!failed) {
            failed = true;
            log.warning("the watchdog over drivers failed and goes on: " + e);
          }
        }
        Thread.sleep(Watchdog.PERIOD_MILLIS);
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
