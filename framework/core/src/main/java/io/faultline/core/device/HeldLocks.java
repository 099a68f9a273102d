// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The locks of address spaces that one thread holds. The locks themselves know no readers; so this is
 * where a thread finds out that a driver's callback calls back into a space that it is called for, and
 * where the {@link Watchdog} finds what a call holds that will not end.
 *
 * <p>Used by its own thread; by the watchdog, while that thread is inside a call that is abandoned, for
 * what was held when the call began; and by the thread that calls a driver in its place, while it waits
 * for that. A driver's callback that never ends may call the kernel meanwhile, again and again: what the
 * thread takes there is its own, since it is in the middle of using it, and lets go of it itself.
 */
public final class HeldLocks {
  /** A lock that can be taken away from a reader. */
  public interface Shared {
    /** Lets go in the place of the thread that holds it for reading. */
    void letGo();

    /** What the reader would have done next: nobody's lock is held. */
    void afterLettingGo();
  }

  private static final int USUAL_DEPTH = 4;

  /**
   * Replaced with this object's monitor held. In the same order as the calls that were begun meanwhile:
   * what was held when a call began is not moved before it ends. Null where something was taken away.
   */
  private @Nullable Shared[] reading = new @Nullable Shared[USUAL_DEPTH];
  private int readers;
  /** How many of these must not be taken away. */
  private int lasting;
  private int writing;
  private boolean reclaiming;
  /** Those of the thread that this one calls a driver for. */
  private volatile @Nullable HeldLocks behind;

  /** Notes a lock that was taken for reading and may be taken away inside a driver's call. */
  public void readingBegins(Shared lock) {
    if (readers == reading.length) {
      grow();
    }
    reading[readers++] = lock;
  }

  private synchronized void grow() {
    reading = Arrays.copyOf(reading, 2 * readers);
  }

  /**
   * Notes that a lock for reading is no longer held.
   *
   * @return false when it was taken away before: then there is nothing to let go
   */
  public boolean readingEnds(Shared lock) {
    int at = readers - 1;
    while (at >= 0 && reading[at] != lock) {
      at--;
    }
    if (at < 0) {
      return false;
    }
    readers--;
    reading[at] = reading[readers];
    // An entry that is free leads to no kernel object: threads outlive kernels.
    reading[readers] = null;
    return true;
  }

  /** Notes that what is held for reading must stay: nothing is taken away from now on. */
  public void lastingBegins() {
    lasting++;
  }

  public void lastingEnds() {
    lasting--;
  }

  public void writingBegins() {
    writing++;
  }

  public void writingEnds() {
    writing--;
  }

  /** Whether a lock is held for writing. */
  public boolean isWriting() {
    return writing > 0;
  }

  /** Whether a lock is held for reading, by this thread or the one that it calls a driver for. */
  public boolean isReading(Shared lock) {
    for (HeldLocks one = this; one != null; one = one.behind) {
      for (int i = one.readers - 1; i >= 0; i--) {
        if (one.reading[i] == lock) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether the given ones are these, or those of the thread that this one calls a driver for. */
  public boolean isOrStandsFor(@Nullable HeldLocks other) {
    for (HeldLocks one = this; one != null; one = one.behind) {
      if (one == other) {
        return true;
      }
    }
    return false;
  }

  void standFor(@Nullable HeldLocks other) {
    behind = other;
  }

  /** Whether this thread makes room in memory, or the one does that it calls a driver for. */
  public boolean isReclaiming() {
    for (HeldLocks one = this; one != null; one = one.behind) {
      if (one.reclaiming) {
        return true;
      }
    }
    return false;
  }

  public void setReclaiming(boolean now) {
    reclaiming = now;
  }

  /** A call into a driver is about to begin: notes what is held around it. */
  void callBegins(CallFrame frame, int keptAround) {
    frame.robbed = false;
    frame.held = readers;
    frame.kept = lasting > 0 || writing > 0 ? readers : keptAround;
  }

  /** A call has ended that was robbed: what was held for it is no longer. */
  void lost(int heldAround) {
    readers = heldAround;
  }

  /** What needs a lock that is held for reading, and may be done by a driver's call. */
  @FunctionalInterface
  interface Work {
    void run() throws ErrnoException;
  }

  /**
   * Does something inside a driver's call, unless what was held for it was taken away; it is not while
   * this is done.
   *
   * @return false when it was
   */
  synchronized boolean whileHeld(CallFrame call, Work work) throws ErrnoException {
    if (!call.robbed) {
      work.run();
    }
    return !call.robbed;
  }

  /**
   * Takes away what was held for reading when a call began, and marks the calls for which it was.
   *
   * @param calls of this thread
   * @param index of the innermost of them that is abandoned: it and those around it cannot end now
   * @return what was, none when nothing was, or it must stay
   */
  synchronized List<Shared> takeAway(CallFrame[] calls, int index) {
    int from = calls[index].kept;
    List<Shared> locks = new ArrayList<>(calls[index].held - from);
    for (int call = index; call >= 0; call--) {
      int around = call == 0 ? 0 : calls[call - 1].held;
      for (int i = calls[call].held - 1; i >= Math.max(from, around); i--) {
        Shared lock = reading[i];
        if (lock != null) {
          reading[i] = null;
          calls[call].robbed = true;
          lock.letGo();
          locks.add(lock);
        }
      }
    }
    return locks;
  }
}
