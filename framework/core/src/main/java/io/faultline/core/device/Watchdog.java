// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Watches the calls into drivers, which run inline on the thread that faults: a call that outlasts
 * its driver's limit is interrupted, again and again until it ends, and its result is thrown away.
 *
 * <p>It has no thread. Whoever composes the kernel has {@link #run} called every {@value
 * #PERIOD_MILLIS} ms or so; without that, calls are not limited. A call is interrupted within two
 * periods of its limit. Java cannot end a thread that reacts to no interrupt: such a call is reported
 * and holds up its own thread, with the locks that this thread holds.
 *
 * <p>A watched call costs two atomic writes and no allocation. Thread-safe.
 */
public final class Watchdog implements Runnable {
  /** How often {@link #run} should be called, in milliseconds. */
  public static final int PERIOD_MILLIS = 20;

  private static final int DEAD_SLOTS_LOOKED_FOR_FROM = 64;

  private final Set<CallSlot> slots = ConcurrentHashMap.newKeySet();
  // Threads outlive kernels: a CallSlot must not lead back here, or this entry would never be
  // dropped.
  private final ThreadLocal<CallSlot> mine = new ThreadLocal<>();

  /** The slot of the calling thread. */
  CallSlot slot() {
    CallSlot slot = mine.get();
    return slot == null ? newSlot() : slot;
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
  synchronized void check(long nowNanos) {
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

  private static void check(CallSlot slot, CallFrame frame, long state, long nowNanos) {
    DeviceNode node = frame.node;
    String operation = frame.operation;
    if (node == null || frame.state() != state) {
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
    String text = first ? node.hangText(operation) : "";
    String trace = first ? Failures.trace(slot.thread) : "";
    if (!frame.beginInterrupt(state)) {
      return;
    }
    // Counted before the call can end: whoever sees it fail sees it counted.
    long error = first ? node.count(text) : 0;
    slot.thread.interrupt();
    frame.endInterrupt(state);
    if (first) {
      node.logError(error, text, trace);
    }
  }

  /** The number of calls into a driver that are under way, those of this thread not counted. */
  int inFlight(Driver driver) {
    int count = 0;
    for (CallSlot slot : slots) {
      if (slot.thread == Thread.currentThread()) {
        continue;
      }
      for (int i = 0; i < CallSlot.MAX_DEPTH; i++) {
        CallFrame frame = slot.frame(i);
        long state = frame.state();
        if (!CallFrame.busy(state)) {
          break;
        }
        DeviceNode node = frame.node;
        if (node != null && node.driver() == driver && frame.state() == state) {
          count++;
        }
      }
    }
    return count;
  }

  /** Whether another thread is inside an access to registers of a node; not one that reads and writes. */
  boolean isInIo(DeviceNode node) {
    for (CallSlot slot : slots) {
      if (slot.thread == Thread.currentThread()) {
        continue;
      }
      for (int i = 0; i < CallSlot.MAX_DEPTH; i++) {
        CallFrame frame = slot.frame(i);
        long state = frame.state();
        if (!CallFrame.busy(state)) {
          break;
        }
        String operation = frame.operation;
        if (frame.node == node
            && (operation.equals(GuardedIo.READ) || operation.equals(GuardedIo.WRITE))
            && frame.state() == state) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Waits until no call into a driver is under way.
   *
   * @param millis how long at most; calls that hang are interrupted meanwhile
   * @return the number of calls that are still under way
   */
  int drain(Driver driver, long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean interrupted = false;
    int left = inFlight(driver);
    while (left > 0 && System.nanoTime() - end < 0) {
      try {
        // A call that ends tells nobody: that would cost every fault. So who waits has to look.
        Thread.sleep(1);
      } catch (InterruptedException e) {
        interrupted = true;
      }
      run();
      left = inFlight(driver);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return left;
  }
}
