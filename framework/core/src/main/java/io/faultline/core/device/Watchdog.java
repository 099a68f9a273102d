// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Watches the calls into drivers, which run inline on the thread that faults: a call that outlasts
 * its driver's limit is interrupted, again and again until it ends, and its result is thrown away.
 *
 * <p>Java cannot end a thread that reacts to no interrupt. A call that has not ended {@value
 * #GRACE_MILLIS} ms after its first interrupt is given up: what its thread holds of address spaces for
 * reading is taken away, so that nobody else waits for it; its driver is quarantined, so that it costs
 * no second thread; and should it end after all, its thread learns that with an {@link
 * AbandonedCallError}. That is enough where nothing is changed before the driver has answered, as in a
 * fault. Calls in the middle of a change are made {@linkplain Aside aside}: there it is the caller that
 * goes on.
 *
 * <p>It has no thread. Whoever composes the kernel has {@link #run} called every {@value
 * #PERIOD_MILLIS} ms or so; without that, calls are not limited. A call is interrupted within two
 * periods of its limit.
 *
 * <p>A watched call costs two atomic writes and no allocation. Thread-safe.
 */
public final class Watchdog implements Runnable {
  /** How often {@link #run} should be called, in milliseconds. */
  public static final int PERIOD_MILLIS = 20;

  /** How long an interrupted call may take to end, in milliseconds. */
  public static final int GRACE_MILLIS = 1000;

  private static final int MARGIN_MILLIS = 2000;
  private static final int GRACE_LOOKS = GRACE_MILLIS / PERIOD_MILLIS / 2;

  private static final int DEAD_SLOTS_LOOKED_FOR_FROM = 64;

  private final Set<CallSlot> slots = ConcurrentHashMap.newKeySet();
  // Threads outlive kernels: a CallSlot must not lead back here, or this entry would never be
  // dropped.
  private final ThreadLocal<CallSlot> mine = new ThreadLocal<>();
  private final Aside aside = new Aside(this);
  /** Taken away from their readers, and not told yet. */
  private final Queue<HeldLocks.Shared> taken = new ConcurrentLinkedQueue<>();

  /** For calls that the caller must be able to leave. */
  Aside aside() {
    return aside;
  }

  /**
   * Sets where calls are made that their callers must be able to leave; on the caller's own thread while
   * there is nobody.
   */
  public void setThreads(@Nullable DriverThreads threads) {
    aside.setThreads(threads);
  }

  /** The slot of the calling thread. */
  CallSlot slot() {
    CallSlot slot = mine.get();
    return slot == null ? newSlot() : slot;
  }

  /** How long to wait for a driver's calls, in milliseconds, to meet none that could be given up. */
  static long patienceMillis(Driver driver) {
    return driver.registration().timeoutMillis() + GRACE_MILLIS + MARGIN_MILLIS;
  }

  /** The locks that the calling thread holds. */
  HeldLocks heldLocks() {
    return slot().held();
  }

  /** Whether the calling thread is inside a driver's callback. */
  boolean inDriverCall() {
    CallSlot slot = mine.get();
    return slot != null && slot.busy();
  }

  private CallSlot newSlot() {
    CallSlot slot = new CallSlot(Thread.currentThread());
    mine.set(slot);
    if (Integer.bitCount(slots.size()) == 1 && slots.size() >= DEAD_SLOTS_LOOKED_FOR_FROM) {
      dropDeadThreads();
    }
    slots.add(slot);
    return slot;
  }

  private void dropDeadThreads() {
    slots.removeIf(slot -> !slot.thread.isAlive());
  }

  /** One look at all calls that are under way. */
  @Override
  public void run() {
    check(System.nanoTime());
  }

  /** One look at all calls, at a time of {@link System#nanoTime}. */
  void check(long nowNanos) {
    lookAtAll(nowNanos);
    // With no monitor held: a space that was waited for may come to its end now.
    for (HeldLocks.Shared lock = taken.poll(); lock != null; lock = taken.poll()) {
      lock.afterLettingGo();
    }
  }

  /** As {@link #run}, but what comes to its end by it waits until that is called. */
  void look() {
    lookAtAll(System.nanoTime());
  }

  private synchronized void lookAtAll(long nowNanos) {
    dropDeadThreads();
    for (CallSlot slot : slots) {
      for (int i = 0; i < CallSlot.MAX_DEPTH; i++) {
        CallFrame frame = slot.frame(i);
        long state = frame.state();
        if (!CallFrame.busy(state)) {
          break;
        }
        check(slot, frame, state, nowNanos);
      }
    }
  }

  private void check(CallSlot slot, CallFrame frame, long state, long nowNanos) {
    DeviceNode node = frame.node;
    String operation = frame.operation;
    if (node == null || frame.state() != state || CallFrame.abandoned(state)) {
      return;
    }
    if (frame.seenCall != CallFrame.call(state)) {
      frame.seenCall = CallFrame.call(state);
      frame.seenNanos = nowNanos;
      return;
    }
    long nanos = nowNanos - frame.seenNanos;
    if (nanos < TimeUnit.MILLISECONDS.toNanos(node.driver().registration().timeoutMillis())) {
      return;
    }
    boolean first = (state & CallFrame.PHASE) == CallFrame.RUNNING;
    if (!first && isOverdue(frame, nowNanos)) {
      abandon(slot, frame, state, node, operation);
      return;
    }
    String text = first ? node.hangText(operation) : "";
    String trace = first ? Failures.trace(slot.thread) : "";
    if (!frame.beginInterrupt(state)) {
      return;
    }
    if (first) {
      frame.expiredNanos = nowNanos;
      frame.lookNanos = nowNanos;
      frame.looks = 0;
    }
    // Counted before the call can end: whoever sees it fail sees it counted.
    long error = first ? node.count(text) : 0;
    slot.thread.interrupt();
    frame.endInterrupt(state);
    if (first) {
      node.logError(error, text, trace);
    }
  }

  /** Time alone says little: the machine may have stood still. */
  private static boolean isOverdue(CallFrame frame, long nowNanos) {
    if (nowNanos - frame.lookNanos >= TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS / 2)) {
      frame.lookNanos = nowNanos;
      frame.looks++;
    }
    return frame.looks >= GRACE_LOOKS
        && nowNanos - frame.expiredNanos >= TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS);
  }

  private void abandon(
      CallSlot slot, CallFrame frame, long state, DeviceNode node, String operation) {
    String trace = Failures.trace(slot.thread);
    if (!frame.beginAbandon(state)) {
      return;
    }
    boolean quarantined;
    try {
      // First: who is let go on must not call it again. Who waits for another driver is not to blame.
      quarantined = slot.isIn(frame) && node.driver().quarantine();
      taken.addAll(slot.abandon(frame));
    } finally {
      frame.endAbandon(state);
    }
    node.abandoned(operation, slot.thread.getName(), trace, quarantined);
  }

  /**
   * The number of calls into a driver that are under way, those of this thread not counted, nor those of one
   * that waits for it.
   */
  int inFlight(Driver driver) {
    return inFlight(driver, true);
  }

  /**
   * @param abandoned whether those count that were given up
   */
  private int inFlight(Driver driver, boolean abandoned) {
    return count((state, node, operation) -> node.driver() == driver
        && (abandoned || !CallFrame.abandoned(state)));
  }

  /**
   * Whether another thread is inside an access to registers of a node; not one that reads and writes, nor
   * one that was given up.
   */
  boolean isInIo(DeviceNode wanted) {
    return count((state, node, operation) -> node == wanted
        && (operation.equals(GuardedIo.READ) || operation.equals(GuardedIo.WRITE))
        && !CallFrame.abandoned(state)) > 0;
  }

  /** Chooses calls that are under way. */
  @FunctionalInterface
  private interface Choice {
    boolean counts(long state, DeviceNode node, String operation);
  }

  /** As {@link #inFlight(Driver)}, of calls of a kind. */
  private int count(Choice choice) {
    int count = 0;
    CallSlot own = mine.get();
    for (CallSlot slot : slots) {
      if (own != null && own.isOrStandsFor(slot)) {
        continue;
      }
      for (int i = 0; i < CallSlot.MAX_DEPTH; i++) {
        CallFrame frame = slot.frame(i);
        long state = frame.state();
        if (!CallFrame.busy(state)) {
          break;
        }
        DeviceNode node = frame.node;
        String operation = frame.operation;
        // Read without a lock: good only if it is the same call still.
        if (node != null && frame.state() == state && choice.counts(state, node, operation)) {
          count++;
        }
      }
    }
    return count;
  }

  /**
   * Waits until no call into a driver is under way but those that were given up.
   *
   * @param millis how long at most; calls that hang are interrupted meanwhile
   * @return the number of calls that are still under way
   */
  int drain(Driver driver, long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean interrupted = false;
    int left = inFlight(driver, false);
    while (left > 0 && System.nanoTime() - end < 0) {
      try {
        // A call that ends tells nobody: that would cost every fault. So who waits has to look.
        Thread.sleep(1);
      } catch (InterruptedException e) {
        interrupted = true;
      }
      run();
      left = inFlight(driver, false);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return left;
  }
}
