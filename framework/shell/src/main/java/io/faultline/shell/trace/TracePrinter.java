// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Prints events on a thread of its own. An event that finds the queue full is lost and counted: the
 * kernel never waits for a terminal.
 *
 * <p>Thread-safe.
 */
final class TracePrinter implements TraceListener, AutoCloseable {
  private static final int CAPACITY = 4096;
  /** A line that takes longer stands on a terminal that is stuck: nobody waits for that. */
  private static final long STUCK_NANOS = 500_000_000;
  private static final long PATIENCE_NANOS = 10_000_000_000L;
  private static final long BETWEEN_LOOKS_MILLIS = 50;

  private final Sink sink;
  private final Predicate<TraceEvent> wanted;
  private final BlockingQueue<TraceEvent> queue = new ArrayBlockingQueue<>(CAPACITY);
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong printed = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final Thread thread;
  private volatile boolean closed;
  /** Since when a line is being written, by {@link System#nanoTime}; 0 while none is. */
  private volatile long writingSince;

  /**
   * @param sink where to
   * @param kinds which events; empty for all
   * @param pid of which process; null for all
   */
  TracePrinter(Sink sink, Set<TraceEvent.Kind> kinds, @Nullable Integer pid) {
    this.sink = sink;
    this.wanted =
        event -> (kinds.isEmpty() || kinds.contains(event.kind()))
            && (pid == null || pid == event.pid());
    this.thread = Thread.ofPlatform().daemon().name("faultline-trace").unstarted(this::print);
  }

  void start() {
    thread.start();
  }

  @Override
  public void event(TraceEvent event) {
    if (closed || !wanted.test(event)) {
      return;
    }
    if (queue.offer(event)) {
      accepted.incrementAndGet();
    } else {
      lost.incrementAndGet();
    }
  }

  /** Waits until what has happened so far is on the screen, unless that is stuck. */
  void settle() {
    if (Thread.currentThread() == thread) {
      return;
    }
    long end = System.nanoTime() + PATIENCE_NANOS;
    long target = accepted.get();
    synchronized (printed) {
      while (printed.get() < target && thread.isAlive() && !isStuck()
          && System.nanoTime() - end < 0) {
        try {
          printed.wait(BETWEEN_LOOKS_MILLIS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }

  private boolean isStuck() {
    long since = writingSince;
    return since != 0 && System.nanoTime() - since > STUCK_NANOS;
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }

  private void print() {
    try {
      while (!closed) {
        TraceEvent event = queue.take();
        write(TraceLine.of(event, sink.colours()));
        long gone = lost.getAndSet(0);
        if (gone > 0) {
          write("… " + gone + " events were lost: the terminal is slower than the kernel");
        }
        synchronized (printed) {
          printed.incrementAndGet();
          printed.notifyAll();
        }
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  private void write(String line) {
    // Not 0, which says that nothing is being written.
    writingSince = System.nanoTime() | 1;
    try {
      sink.line(line);
    } catch (RuntimeException terminalGone) {
      closed = true;
    } finally {
      writingSince = 0;
    }
  }
}
