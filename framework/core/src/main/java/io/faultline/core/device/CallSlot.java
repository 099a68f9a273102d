// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.jfr.DriverCallEvent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The calls into drivers that one thread has under way: one, or several where a driver touches memory
 * of another driver. Refers to no kernel object while there is none, since threads outlive kernels.
 */
final class CallSlot {
  /** So deep may calls nest; the next one fails. */
  static final int MAX_DEPTH = 8;

  private static final int TIME_ONE_CALL_IN = 64;

  final Thread thread;
  private final HeldLocks held = new HeldLocks();
  private final CallFrame[] frames = new CallFrame[MAX_DEPTH];
  private int depth;
  /** The slot of the thread that this one calls a driver for. */
  private volatile @Nullable CallSlot behind;
  private volatile boolean abandoned;
  /** Another thread calls a driver for this one, which waits for it. */
  private volatile boolean waiting;
  private int calls;
  private String refusal = "";
  private @Nullable String refusedOwner;
  private long refusedAddress;
  private boolean notCalled;

  CallSlot(Thread thread) {
    this.thread = thread;
    for (int i = 0; i < MAX_DEPTH; i++) {
      frames[i] = new CallFrame(i);
    }
  }

  CallFrame frame(int index) {
    return frames[index];
  }

  /** The locks that the thread holds. */
  HeldLocks held() {
    return held;
  }

  /** Whether a call is under way. */
  boolean busy() {
    return depth > 0;
  }

  /** The thread calls a driver for another one, which waits; null for itself again. */
  void standFor(@Nullable CallSlot other) {
    abandoned = false;
    behind = other;
    held.standFor(other == null ? null : other.held);
  }

  /** The thread begins, or ends, to wait for another one that calls a driver for it. */
  void setWaiting(boolean now) {
    waiting = now;
  }

  /** Whether it is in this call that the thread is, and in none within it. */
  boolean isIn(CallFrame frame) {
    int next = frame.index + 1;
    return !waiting && (next == MAX_DEPTH || !CallFrame.busy(frames[next].state()));
  }

  /** Whether a call of this thread was given up since it began to stand for another one. */
  boolean isAbandoned() {
    return abandoned;
  }

  /** How many calls are under way, those of the thread that this one stands for included. */
  private int wholeDepth() {
    CallSlot other = behind;
    return other == null ? depth : depth + other.wholeDepth();
  }

  /**
   * The watchdog's, in the time between {@link CallFrame#beginAbandon} and {@code endAbandon} of a frame:
   * the thread cannot leave that call, nor those around it.
   *
   * @return the locks that it does not hold any more
   */
  List<HeldLocks.Shared> abandon(CallFrame frame) {
    List<HeldLocks.Shared> taken = held.takeAway(frames, frame.index);
    abandoned = true;
    return taken;
  }

  /** The innermost call that is under way. */
  CallFrame innermost() {
    return frames[depth - 1];
  }

  /** Begins a call; null when calls are nested too deep. */
  @Nullable CallFrame enter(DeviceNode node, String operation, boolean timed) {
    int d = depth;
    if (d == MAX_DEPTH || behind != null && wholeDepth() >= MAX_DEPTH) {
      return null;
    }
    CallFrame frame = frames[d];
    frame.wasInterrupted = thread.isInterrupted();
    frame.startedNanos = timed || ++calls % TIME_ONE_CALL_IN == 0 ? System.nanoTime() : 0;
    frame.event = DriverCallEvent.start();
    held.callBegins(frame, d == 0 ? 0 : frames[d - 1].kept);
    frame.run(node, operation);
    notCalled = false;
    // Last: whatever calls something may overflow the stack, and then nothing has begun.
    depth = d + 1;
    return frame;
  }

  /**
   * Ends a call; true when it outlasted its limit.
   *
   * @throws AbandonedCallError when the thread holds no longer what it held for the call when that began
   */
  boolean exit(CallFrame frame, DeviceNode node) {
    boolean late = false;
    boolean interrupted = false;
    // More than one only after a stack overflow below has torn away a guard.
    for (int i = depth - 1; i >= frame.index; i--) {
      late = !frames[i].end();
      if (late) {
        frames[i].endLate();
        interrupted = true;
      }
    }
    depth = frame.index;
    if (interrupted) {
      // The watchdog's interrupt was for the driver; the caller's own is put back.
      boolean unused = Thread.interrupted();
      if (frame.wasInterrupted) {
        thread.interrupt();
      }
    }
    if (frame.startedNanos != 0) {
      node.timed(System.nanoTime() - frame.startedNanos);
    }
    DriverCallEvent event = frame.event;
    if (event != null) {
      frame.event = null;
      event.finish(node.owner(), node.driver().name(), frame.operation, late);
    }
    if (frame.robbed) {
      held.lost(frame.index == 0 ? 0 : frames[frame.index - 1].held);
      throw new AbandonedCallError(
          node.lateText(this, frame.operation) + " and was given up; now it has ended");
    }
    return late;
  }

  /** Whether the given one is this, or that of the thread that this one calls a driver for. */
  boolean isOrStandsFor(CallSlot other) {
    for (CallSlot one = this; one != null; one = one.behind) {
      if (one == other) {
        return true;
      }
    }
    return false;
  }

  /** Whether a call into that driver is under way. */
  boolean inside(Driver driver) {
    for (int i = 0; i < depth; i++) {
      DeviceNode node = frames[i].node;
      if (node != null && node.driver() == driver) {
        return true;
      }
    }
    CallSlot other = behind;
    return other != null && other.inside(driver);
  }

  /** Remembers what another thread was told that called in the place of this one. */
  void refusedAs(CallSlot other) {
    refusal = other.refusal;
    refusedOwner = other.refusedOwner;
    refusedAddress = other.refusedAddress;
    notCalled = other.notCalled;
  }

  /** Remembers that a driver was not called, since it is not there. */
  void absent(String why) {
    refused(why);
    notCalled = true;
  }

  /** Remembers that there was nobody to call, and nobody to wait for. */
  void unanswered(String why) {
    refused(why);
  }

  /** Whether the last call on this thread was none, since the driver is not there. */
  boolean wasAbsent() {
    return notCalled;
  }

  /** Remembers why a call failed. */
  void refused(String why) {
    refusal = why;
    refusedOwner = null;
    notCalled = false;
  }

  /** Remembers that a driver had no page; the text is made when it is asked for. */
  void refusedPage(String owner, long address) {
    refusedOwner = owner;
    refusedAddress = address;
  }

  String refusal() {
    String owner = refusedOwner;
    return owner == null
        ? refusal
        : owner + ": nopage has no page at 0x" + Long.toHexString(refusedAddress);
  }
}
