// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.ErrnoException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes calls into drivers on threads of its own, while the caller waits: it can go on when the {@link
 * Watchdog} has given the call up, however long the driver keeps the thread. For calls in the middle of
 * a change, which must be completed or undone: those that are made with an address space locked for
 * writing, and those that hand a driver's state over. It costs some microseconds, which a fault has not.
 *
 * <p>To all that the driver does, the call is one of the waiting thread: its locks count as held, its
 * calls as around this one, its interrupts are passed on, its context class loader is set. But monitors
 * and locks of the driver's own belong to threads: one that it holds while it calls the kernel, and wants
 * in the callback that comes of that, keeps the callback waiting until it is given up. Thread-safe.
 */
final class Aside {
  private final Watchdog watchdog;
  /** Half of what it takes to wake a thread; nothing where the driver's would get no processor. */
  private final long brieflyNanos = Runtime.getRuntime().availableProcessors() > 1 ? 20_000 : 0;
  private final Watchfulness watch = new Watchfulness();
  private volatile @Nullable DriverThreads threads;

  Aside(Watchdog watchdog) {
    this.watchdog = watchdog;
  }

  /** Without threads, which it is at first, calls are made on the caller's. */
  void setThreads(@Nullable DriverThreads source) {
    threads = source;
  }

  /** A call, guarded as on the caller's own thread. */
  @FunctionalInterface
  interface Call<R extends @Nullable Object> {
    R make() throws ErrnoException;
  }

  /**
   * Makes a call and waits for it.
   *
   * @param slot the caller's
   * @param late the text of the error when the call is given up
   * @throws ErrnoException what the call throws; ETIMEDOUT when it is given up
   */
  <R extends @Nullable Object> R run(CallSlot slot, Late late, Call<R> call) throws ErrnoException {
    DriverThreads source = threads;
    if (source == null) {
      return call.make();
    }
    Running<R> running = new Running<>(slot, call);
    boolean interrupted = Thread.currentThread().isInterrupted();
    running.interrupt = interrupted;
    try {
      source.start(running);
    } catch (RejectedExecutionException | OutOfMemoryError noThread) {
      // Whoever is in the middle of a change cannot do without the call.
      return call.make();
    }
    if (Thread.interrupted() && !interrupted) {
      interrupted = true;
      running.passInterrupt();
    }
    slot.setWaiting(true);
    if (watch.isWorthIt()) {
      watch.ended(running.awaitBriefly());
    }
    while (!running.done) {
      LockSupport.parkNanos(running, TimeUnit.MILLISECONDS.toNanos(Watchdog.PERIOD_MILLIS));
      if (Thread.interrupted()) {
        interrupted = true;
        running.passInterrupt();
      }
      if (!running.done && System.nanoTime() - running.nextLook >= 0) {
        running.nextLook =
            System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Watchdog.PERIOD_MILLIS);
        // What comes of it is for others: this thread may hold whatever locks.
        look();
        if (running.giveUp()) {
          break;
        }
      }
    }
    slot.setWaiting(false);
    if (interrupted || running.interruptLeft) {
      Thread.currentThread().interrupt();
    }
    return running.result(slot, late);
  }

  private void look() {
    try {
      watchdog.look();
    } catch (RuntimeException | Error e) {
      // As when memory is used up. It must not end the wait: the driver acts in this thread's place. The
      // watchdog's own thread meets it too, and tells.
    }
  }

  /** Makes the error of a call that was given up. */
  @FunctionalInterface
  interface Late {
    ErrnoException error(CallSlot slot);
  }

  /** A call under way. */
  private final class Running<R extends @Nullable Object> implements Runnable {
    private final CallSlot caller;
    private final Thread waiting = Thread.currentThread();
    private final Call<R> call;
    long nextLook =
        System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Watchdog.PERIOD_MILLIS);
    /** Whether the caller came with an interrupt. */
    boolean interrupt;
    volatile boolean done;
    // Written before done.
    boolean interruptLeft;
    private @Nullable R result;
    private @Nullable ErrnoException refused;
    private @Nullable Throwable thrown;
    // Guarded by this object's monitor.
    private @Nullable Thread thread;
    private @Nullable CallSlot slot;
    private @Nullable ClassLoader ownLoader;
    private boolean givenUp;

    Running(CallSlot caller, Call<R> call) {
      this.caller = caller;
      this.call = call;
    }

    /** Most calls have ended by then, and no thread need be woken. */
    boolean awaitBriefly() {
      long began = System.nanoTime();
      while (!done && System.nanoTime() - began < brieflyNanos) {
        Thread.onSpinWait();
      }
      return done;
    }

    @Override
    public void run() {
      CallSlot mine;
      try {
        mine = watchdog.slot();
        begin(mine);
      } catch (Throwable t) {
        // Whatever it is, the caller waits: when memory is used up just now.
        thrown = t;
        done = true;
        LockSupport.unpark(waiting);
        return;
      }
      try {
        result = call.make();
      } catch (ErrnoException e) {
        refused = e;
      } catch (Throwable t) {
        thrown = t;
      }
      end(mine);
    }

    private synchronized void begin(CallSlot mine) {
      thread = Thread.currentThread();
      slot = mine;
      mine.standFor(caller);
      ownLoader = thread.getContextClassLoader();
      thread.setContextClassLoader(waiting.getContextClassLoader());
      if (interrupt) {
        Thread.currentThread().interrupt();
      }
    }

    private synchronized void end(CallSlot mine) {
      thread = null;
      mine.standFor(null);
      // Neither the caller's, nor one that the driver has set, may stay here.
      Thread.currentThread().setContextClassLoader(ownLoader);
      ownLoader = null;
      interruptLeft = Thread.interrupted();
      if (!givenUp) {
        caller.refusedAs(mine);
        done = true;
        LockSupport.unpark(waiting);
      }
    }

    synchronized void passInterrupt() {
      interrupt = true;
      if (thread != null) {
        thread.interrupt();
      }
    }

    /** Whether the call was abandoned, and from now on is on its own. */
    synchronized boolean giveUp() {
      if (done || slot == null || !slot.isAbandoned()) {
        return false;
      }
      givenUp = true;
      slot.standFor(null);
      return true;
    }

    /** Null only where the call may answer null: R says so then. */
    @SuppressWarnings("NullAway")
    R result(CallSlot mine, Late late) throws ErrnoException {
      if (!done) {
        throw late.error(mine);
      }
      if (refused != null) {
        throw refused;
      }
      if (thrown instanceof RuntimeException e) {
        throw e;
      }
      if (thrown instanceof Error e) {
        throw e;
      }
      return result;
    }
  }
}
