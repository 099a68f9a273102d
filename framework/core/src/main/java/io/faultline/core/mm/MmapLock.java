// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.device.HeldLocks;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.StampedLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code mmap_lock}: held for writing while areas change, for reading by faults. Knows when its space
 * is gone, and sees to it that a space whose end was asked for by somebody who could not wait for the
 * lock comes to its end with the next release.
 *
 * <p>What a thread holds for reading can be taken away from it, inside a driver's call that does not end:
 * so who reads is not known here but in the thread's {@link HeldLocks}, and the lock is one that anybody
 * can release. It is not reentrant.
 */
final class MmapLock implements HeldLocks.Shared {
  private final StampedLock lock = new StampedLock();
  private final int pid;
  private final Supplier<HeldLocks> held;
  private final BooleanSupplier inDriverCall;
  private final Runnable end;
  /** Who has it for writing. */
  private volatile @Nullable HeldLocks writer;
  /** The end was asked for: nobody gets in any more. */
  private volatile boolean dying;
  /** The end has come. Written with the lock held for writing. */
  private volatile boolean gone;

  /**
   * @param pid for messages
   * @param held the calling thread's locks
   * @param inDriverCall whether the calling thread is inside a driver's callback
   * @param end empties the space; called with the lock held for writing, once
   */
  MmapLock(int pid, Supplier<HeldLocks> held, BooleanSupplier inDriverCall, Runnable end) {
    this.pid = pid;
    this.held = held;
    this.inDriverCall = inDriverCall;
    this.end = end;
  }

  /**
   * @throws ErrnoException EDEADLK in a driver's callback for this space, or in one for another space
   *     that is interrupted while it waits; ESRCH when the process is gone
   */
  void lockForWriting() throws ErrnoException {
    HeldLocks mine = held.get();
    failIfHeld(mine);
    if (inDriverCall.getAsBoolean()) {
      try {
        long unused = lock.writeLockInterruptibly();
      } catch (InterruptedException e) {
        throw interrupted();
      }
    } else {
      long unused = lock.writeLock();
    }
    writingBegins(mine);
    if (dying) {
      unlockForWriting();
      throw dead();
    }
  }

  /**
   * As {@link #lockForWriting}, but gives up.
   *
   * @return false when it could not be had within the time, or by this thread at all
   */
  boolean tryLockForWriting(long millis) throws ErrnoException {
    HeldLocks mine = held.get();
    if (isHeld(mine)) {
      return false;
    }
    try {
      if (lock.tryWriteLock(millis, TimeUnit.MILLISECONDS) == 0) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    writingBegins(mine);
    if (dying) {
      unlockForWriting();
      throw dead();
    }
    return true;
  }

  /** As {@link #tryLockForWriting}; readers are not waited for, whoever queues behind them. */
  boolean tryLockForReading(long millis) throws ErrnoException {
    HeldLocks mine = held.get();
    if (isHeld(mine)) {
      return false;
    }
    try {
      if (lock.tryReadLock() == 0 && lock.tryReadLock(millis, TimeUnit.MILLISECONDS) == 0) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    note(mine);
    if (dying) {
      unlockForReading();
      throw dead();
    }
    return true;
  }

  void unlockForWriting() {
    writingEnds(held.get());
    endIfDying();
  }

  /** Otherwise as {@link #lockForWriting}. */
  void lockForReading() throws ErrnoException {
    HeldLocks mine = held.get();
    failIfHeld(mine);
    if (inDriverCall.getAsBoolean()) {
      try {
        long unused = lock.readLockInterruptibly();
      } catch (InterruptedException e) {
        throw interrupted();
      }
    } else {
      long unused = lock.readLock();
    }
    note(mine);
    if (dying) {
      unlockForReading();
      throw dead();
    }
  }

  /** Does nothing when it was taken away from this thread meanwhile. */
  void unlockForReading() {
    if (held.get().readingEnds(this)) {
      boolean unused = lock.tryUnlockRead();
      endIfDying();
    }
  }

  /**
   * Takes the lock for reading if that is possible at once, also where the thread has it for reading
   * already. It is not taken away inside a driver's call.
   *
   * @param own also where this thread has it for writing, and its areas are as they should be
   */
  boolean tryLockForReading(boolean own) {
    HeldLocks mine = held.get();
    if (mine.isOrStandsFor(writer)) {
      return own && !dying;
    }
    if (lock.tryReadLock() == 0) {
      return false;
    }
    if (dying) {
      boolean unused = lock.tryUnlockRead();
      return false;
    }
    note(mine);
    mine.lastingBegins();
    return true;
  }

  /** Undoes {@link #tryLockForReading} where the end of the space must not come now. */
  void unlockAfterTry() {
    HeldLocks mine = held.get();
    // Not noted where it was had for writing, by a thread that may have left this one alone since.
    if (mine.readingEnds(this)) {
      mine.lastingEnds();
      boolean unused = lock.tryUnlockRead();
    }
  }

  /** Nobody could ever release what is not noted: as when memory, or the stack, is used up just now. */
  private void note(HeldLocks mine) {
    boolean noted = false;
    try {
      mine.readingBegins(this);
      noted = true;
    } finally {
      if (!noted) {
        boolean unused = lock.tryUnlockRead();
      }
    }
  }

  /** Runs something under the lock, even where the space is gone, or this thread has the lock. */
  void look(Runnable reader) {
    HeldLocks mine = held.get();
    if (isHeld(mine)) {
      reader.run();
      return;
    }
    long unused = lock.readLock();
    note(mine);
    try {
      reader.run();
    } finally {
      unlockForReading();
    }
  }

  /**
   * Ends the space: now if the lock can be had, else when those who have it let go. A driver's
   * callback of this very space is among these.
   */
  void end() {
    dying = true;
    HeldLocks mine = held.get();
    if (!isHeld(mine) && !inDriverCall.getAsBoolean()) {
      long unused = lock.writeLock();
      endLocked(mine);
      return;
    }
    endIfDying();
  }

  /** Brings about an end that was asked for, if nobody has the lock. */
  void endIfDying() {
    // Who holds the lock when this try fails comes by here afterwards.
    if (dying && !gone && lock.tryWriteLock() != 0) {
      endLocked(held.get());
    }
  }

  private void endLocked(HeldLocks mine) {
    writingBegins(mine);
    try {
      if (!gone) {
        gone = true;
        end.run();
      }
    } finally {
      writingEnds(mine);
    }
  }

  private void writingBegins(HeldLocks mine) {
    writer = mine;
    mine.writingBegins();
  }

  private void writingEnds(HeldLocks mine) {
    writer = null;
    mine.writingEnds();
    boolean unused = lock.tryUnlockWrite();
  }

  @Override
  public void letGo() {
    boolean unused = lock.tryUnlockRead();
  }

  @Override
  public void afterLettingGo() {
    endIfDying();
  }

  private boolean isHeld(HeldLocks mine) {
    return mine.isOrStandsFor(writer) || mine.isReading(this);
  }

  private void failIfHeld(HeldLocks mine) throws ErrnoException {
    if (isHeld(mine)) {
      throw new ErrnoException(
          Errno.EDEADLK,
          "a driver's callback called back into the address space of process " + pid);
    }
  }

  /**
   * A driver's callback holds the lock of the space that it is called for. Two that wait for each
   * other's would wait for ever if the watchdog could not interrupt them.
   */
  private ErrnoException interrupted() {
    Thread.currentThread().interrupt();
    return new ErrnoException(
        Errno.EDEADLK,
        "a driver's callback waited for the address space of process " + pid
            + " until it was interrupted");
  }

  private ErrnoException dead() {
    return new ErrnoException(Errno.ESRCH, "process " + pid + " has no memory any more");
  }
}
