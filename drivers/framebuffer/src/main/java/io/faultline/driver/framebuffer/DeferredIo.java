// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;

/**
 * Deferred I/O ({@code drivers/video/fbdev/core/fb_defio.c}): the first writer of a page puts it on a
 * list; a moment later the pages on the list lose the right to be written and go to the display.
 *
 * <p>Off the list, write-protected, sent: in this order no store is missed. What is stored before the
 * protection is in what is sent; what is stored after it puts the page on the list again.
 *
 * <p>Thread-safe. A flush holds this object's monitor, a fault does not take it.
 */
final class DeferredIo implements AutoCloseable {
  private final DirtyPages dirty = new DirtyPages();
  private final IntConsumer protect;
  private final IntConsumer send;
  private final ScheduledThreadPoolExecutor worker;
  private final LongAdder written = new LongAdder();
  private volatile int delayMillis;
  // Guarded by this object's monitor.
  private long flushes;
  private long sent;

  /**
   * What was done so far.
   *
   * @param written how often a page was put on the list by a mapping's first store
   * @param flushes how often pages were sent
   * @param sent how many pages
   */
  record Counters(long written, long flushes, long sent) {}

  /**
   * @param name the device's
   * @param protect takes the right to write to a page from all who map it
   * @param send sends a page to the display
   * @param delayMillis how long pages are gathered
   */
  DeferredIo(String name, IntConsumer protect, IntConsumer send, int delayMillis) {
    this.protect = protect;
    this.send = send;
    this.delayMillis = delayMillis;
    worker = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, name + "-deferred-io");
      thread.setDaemon(true);
      return thread;
    });
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  void setDelayMillis(int millis) {
    delayMillis = millis;
  }

  int delayMillis() {
    return delayMillis;
  }

  /** A page is about to be written through a mapping; from within a fault. */
  void mkwrite(int page) {
    written.increment();
    dirty(page, page + 1);
  }

  /** Pages of a range were written; from any thread. */
  void dirty(int first, int end) {
    if (dirty.add(first, end)) {
      schedule();
    }
  }

  private void schedule() {
    try {
      ScheduledFuture<?> unused = worker.schedule(this::flush, delayMillis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // The display is gone, or another version's by now.
    }
  }

  /** Sends what is on the list, at once ({@code fb_deferred_io_fsync}). */
  synchronized void flush() {
    int[] pages = dirty.take();
    if (pages.length == 0) {
      return;
    }
    for (int page : pages) {
      protect.accept(page);
      send.accept(page);
    }
    flushes++;
    sent += pages.length;
    notifyAll();
  }

  /** The pages that wait to be sent, once no flush is under way; they stay on the list. */
  synchronized int[] pending() {
    return dirty.list();
  }

  synchronized Counters counters() {
    return new Counters(written.sum(), flushes, sent);
  }

  /** Goes on where another one was. */
  synchronized void continueFrom(Counters before, int[] pages) {
    written.add(before.written);
    flushes += before.flushes;
    sent += before.sent;
    for (int page : pages) {
      dirty(page, page + 1);
    }
  }

  /**
   * Waits for the next flush.
   *
   * @param known how many the caller knows of
   * @param millis how long at most
   */
  synchronized void awaitFlush(long known, long millis) throws InterruptedException {
    if (flushes == known && !worker.isShutdown()) {
      wait(Math.max(1, millis));
    }
  }

  boolean isClosed() {
    return worker.isShutdown();
  }

  /** Sends nothing any more. */
  @Override
  public void close() {
    worker.shutdownNow();
    synchronized (this) {
      notifyAll();
    }
  }
}
