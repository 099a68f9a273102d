// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.device.DriverThreads;
import io.faultline.core.device.Watchfulness;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * As many daemon threads as calls into drivers are under way at once. One ends when it was not needed
 * for {@value #IDLE_MILLIS} ms: it must not keep for long what a driver has left in its thread-locals.
 * Needs no closing. Thread-safe.
 *
 * <p>Not a {@code ThreadPoolExecutor}: to wake a thread takes twenty to fifty microseconds, a hundred times
 * a system call. So a thread that has done its work looks out for more of it a little while before it
 * sleeps, and the last one to get idle is taken first: a fork that opens a hundred areas wakes one
 * thread once. No queue of the library's waits like that.
 */
public final class DriverThreadPool implements DriverThreads {
  private static final int IDLE_MILLIS = 500;
  /** In place of a call: the thread has ended. */
  private static final Runnable ENDED = () -> {
  };

  private final long watchfulNanos;
  private final Watchfulness watch = new Watchfulness();
  private final AtomicInteger number = new AtomicInteger();
  private final ConcurrentLinkedDeque<Worker> idle = new ConcurrentLinkedDeque<>();

  /** Threads stay awake between calls only where there is a processor for them. */
  public DriverThreadPool() {
    watchfulNanos = Runtime.getRuntime().availableProcessors() > 1 ? 30_000 : 0;
  }

  @Override
  public void start(Runnable call) {
    Worker worker = idle.pollFirst();
    while (worker != null) {
      if (worker.take(call)) {
        return;
      }
      worker = idle.pollFirst();
    }
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("faultline-driver-call-" + number.incrementAndGet())
            // Nothing of the thread that happened to need one first.
            .inheritInheritableThreadLocals(false)
            .unstarted(new Worker(call));
    thread.setContextClassLoader(DriverThreadPool.class.getClassLoader());
    thread.start();
  }

  /** A thread's life. Whoever takes it out of {@link #idle} alone may give it a call. */
  private final class Worker implements Runnable {
    /** The next call; null while there is none. */
    private final AtomicReference<@Nullable Runnable> next;
    private volatile @Nullable Thread asleep;

    Worker(Runnable first) {
      next = new AtomicReference<>(first);
    }

    /** False when it has just ended. */
    boolean take(Runnable call) {
      boolean taken = next.compareAndSet(null, call);
      Thread sleeper = asleep;
      if (taken && sleeper != null) {
        LockSupport.unpark(sleeper);
      }
      return taken;
    }

    @Override
    public void run() {
      boolean more = true;
      while (more) {
        Runnable call = next.getAndSet(null);
        if (call != null) {
          call.run();
        }
        // Or what it leads to would stay as long as this thread.
        call = null;
        idle.addFirst(this);
        more = awaitNext();
      }
    }

    /** False when there was none for long: then none can come. */
    private boolean awaitNext() {
      long began = System.nanoTime();
      if (watch.isWorthIt()) {
        while (next.get() == null && System.nanoTime() - began < watchfulNanos) {
          Thread.onSpinWait();
        }
        watch.ended(next.get() != null);
      }
      long end = TimeUnit.MILLISECONDS.toNanos(IDLE_MILLIS);
      while (next.get() == null) {
        long waited = System.nanoTime() - began;
        if (waited >= end) {
          if (next.compareAndSet(null, ENDED)) {
            boolean unused = idle.remove(this);
            return false;
          }
        } else {
          sleep(end - waited);
        }
      }
      return true;
    }

    private void sleep(long nanos) {
      asleep = Thread.currentThread();
      if (next.get() == null) {
        LockSupport.parkNanos(this, nanos);
      }
      asleep = null;
      // One that came after its call had ended is nobody's, and would keep it awake.
      boolean unused = Thread.interrupted();
    }
  }
}
