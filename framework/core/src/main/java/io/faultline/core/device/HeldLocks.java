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
 * <p>Used by its own thread; by the watchdog while that thread is inside a call that was abandoned, and
 * waits at its end until the watchdog has done; and by the thread that calls a driver in its place,
 * while it waits for that.
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

  private Shared[] reading = new Shared[USUAL_DEPTH];
  private int readers;
  /** Of these, how many must not be taken away. */
  private int lasting;
  // Guarded by this object's monitor.
  private boolean taken;
  private int writing;
  /** Those of the thread that this one calls a driver for. */
  private volatile @Nullable HeldLocks behind;

  /** Notes a lock that was taken for reading and may be taken away inside a driver's call. */
  public void readingBegins(Shared lock) {
    if (readers == reading.length) {
      reading = Arrays.copyOf(reading, 2 * readers);
    }
    reading[readers++] = lock;
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
    forget(readers);
    return true;
  }

  /** An entry that is free leads to no kernel object: threads outlive kernels. */
  @SuppressWarnings("NullAway")
  private void forget(int index) {
    reading[index] = null;
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

  /** What needs a lock that is held for reading, and may be done by a driver's call. */
  @FunctionalInterface
  interface Work {
    void run() throws ErrnoException;
  }

  /**
   * Does something inside a driver's call, unless what is held for reading was taken away; it is not
   * while this is done.
   *
   * @return false when it was
   */
  synchronized boolean whileHeld(Work work) throws ErrnoException {
    if (!taken) {
      work.run();
    }
    return !taken;
  }

  /**
   * Takes away what is held for reading.
   *
   * @return what was, none when nothing is, or it must stay
   */
  synchronized List<Shared> takeAway() {
    if (lasting > 0 || writing > 0) {
      return List.of();
    }
    taken = readers > 0;
    List<Shared> locks = new ArrayList<>(readers);
    while (readers > 0) {
      Shared lock = reading[--readers];
      forget(readers);
      lock.letGo();
      locks.add(lock);
    }
    return locks;
  }

  /** The thread has noticed what was taken away. */
  synchronized void noticed() {
    taken = false;
  }
}
