// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.jfr.DriverCallEvent;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * One call into a driver that may be under way. Reused for ever; a number that goes up tells one call
 * from the next.
 *
 * <pre>
 *   IDLE --enter--> RUNNING --exit--> IDLE
 *                      | the watchdog
 *                      v
 *                INTERRUPTING --> EXPIRED --exit--> IDLE
 *                      ^-------------+  |
 *                                       v
 *                                   ABANDONING --> ABANDONED --exit--> IDLE
 * </pre>
 *
 * While the watchdog interrupts the thread the state is INTERRUPTING and {@code exit} waits: the
 * interrupt never hits what the thread does after the call. So it does in ABANDONING, while the
 * watchdog takes away what the thread holds. Who is ABANDONED is interrupted no more.
 */
final class CallFrame {
  static final int IDLE = 0;
  static final int RUNNING = 1;
  static final int INTERRUPTING = 2;
  static final int EXPIRED = 3;
  private static final int ABANDONING = 4;
  static final int ABANDONED = 5;
  static final long PHASE = 7;
  private static final long ONE_CALL = 8;

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(CallFrame.class, "state", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final int index;

  /** The call's number above, its phase in the three lowest bits. */
  private volatile long state;

  // Written by the calling thread before it sets RUNNING; another thread that read them checks
  // that the state did not change meanwhile.
  @Nullable DeviceNode node;
  String operation = "";
  long startedNanos;
  boolean wasInterrupted;
  /** How many locks the thread held for reading, and how many of these must stay whatever happens. */
  int held;
  int kept;
  /** What was held for this call was taken away; guarded by the monitor of the {@link HeldLocks}. */
  boolean robbed;
  /** The calling thread's own: null while nobody records calls. */
  @Nullable DriverCallEvent event;

  // The watchdog's own, guarded by its monitor.
  long seenCall;
  long seenNanos;
  long expiredNanos;
  int looks;
  long lookNanos;

  CallFrame(int index) {
    this.index = index;
  }

  /** The calling thread begins a call. A full fence: the lease is read afterwards. */
  void run(DeviceNode calledNode, String calledOperation) {
    node = calledNode;
    operation = calledOperation;
    state = ((state & ~PHASE) + ONE_CALL) | RUNNING;
  }

  /** The calling thread ends the call; false when the watchdog has taken it over. */
  boolean end() {
    long s = state;
    boolean inTime = (s & PHASE) == RUNNING && STATE.compareAndSet(this, s, s & ~PHASE);
    if (inTime) {
      node = null;
    }
    return inTime;
  }

  /** The calling thread ends a call that has expired. */
  void endLate() {
    while (true) {
      long s = state;
      if ((s & PHASE) == INTERRUPTING || (s & PHASE) == ABANDONING) {
        Thread.onSpinWait();
      } else if (STATE.compareAndSet(this, s, s & ~PHASE)) {
        node = null;
        return;
      }
    }
  }

  long state() {
    return state;
  }

  static boolean busy(long state) {
    return (state & PHASE) != IDLE;
  }

  static boolean abandoned(long state) {
    return (state & PHASE) >= ABANDONING;
  }

  static long call(long state) {
    return state & ~PHASE;
  }

  /** The watchdog is about to interrupt the thread; false when the call has ended. */
  boolean beginInterrupt(long seen) {
    return STATE.compareAndSet(this, seen, (seen & ~PHASE) | INTERRUPTING);
  }

  /** The watchdog has interrupted the thread. */
  void endInterrupt(long seen) {
    state = (seen & ~PHASE) | EXPIRED;
  }

  /** The watchdog gives the call up; false when it has ended. */
  boolean beginAbandon(long seen) {
    return STATE.compareAndSet(this, seen, (seen & ~PHASE) | ABANDONING);
  }

  /** Nothing of the call's is left. */
  void endAbandon(long seen) {
    state = (seen & ~PHASE) | ABANDONED;
  }
}
