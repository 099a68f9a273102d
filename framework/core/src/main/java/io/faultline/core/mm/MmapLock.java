// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;

/**
 * {@code mmap_lock}: held for writing while areas change, for reading by faults. Knows when its space
 * is gone, and sees to it that a space whose end was asked for by somebody who could not wait for the
 * lock comes to its end with the next release.
 */
final class MmapLock {
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final int pid;
  private final BooleanSupplier inDriverCall;
  private final Runnable end;
  /** The end was asked for: nobody gets in any more. */
  private volatile boolean dying;
  /** The end has come. Written with the lock held for writing. */
  private volatile boolean gone;

  /**
   * @param pid for messages
   * @param inDriverCall whether the calling thread is inside a driver's callback
   * @param end empties the space; called with the lock held for writing, once
   */
  MmapLock(int pid, BooleanSupplier inDriverCall, Runnable end) {
    this.pid = pid;
    this.inDriverCall = inDriverCall;
    this.end = end;
  }

  /**
   * @throws ErrnoException EDEADLK in a driver's callback for this space, or in one for another space
   *     that is interrupted while it waits; ESRCH when the process is gone
   */
  void lockForWriting() throws ErrnoException {
    acquire(lock.writeLock());
  }

  /**
   * As {@link #lockForWriting}, but gives up.
   *
   * @return false when it could not be had within the time, or by this thread at all
   */
  boolean tryLockForWriting(long millis) throws ErrnoException {
    if (lock.isWriteLockedByCurrentThread() || lock.getReadHoldCount() > 0) {
      return false;
    }
    try {
      if (!lock.writeLock().tryLock(millis, TimeUnit.MILLISECONDS)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    failIfDying(lock.writeLock());
    return true;
  }

  /** As {@link #tryLockForWriting}; readers are not waited for, whoever queues behind them. */
  boolean tryLockForReading(long millis) throws ErrnoException {
    if (lock.isWriteLockedByCurrentThread() || lock.getReadHoldCount() > 0) {
      return false;
    }
    try {
      if (!lock.readLock().tryLock()
          && !lock.readLock().tryLock(millis, TimeUnit.MILLISECONDS)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    failIfDying(lock.readLock());
    return true;
  }

  void unlockForWriting() {
    lock.writeLock().unlock();
    endIfDying();
  }

  /** Otherwise as {@link #lockForWriting}. */
  void lockForReading() throws ErrnoException {
    acquire(lock.readLock());
  }

  void unlockForReading() {
    lock.readLock().unlock();
    endIfDying();
  }

  /**
   * Takes the lock for reading if that is possible at once, also where the thread has it for reading
   * already.
   *
   * @param own also where this thread has it for writing, and its areas are as they should be
   */
  boolean tryLockForReading(boolean own) {
    if (lock.isWriteLockedByCurrentThread() && !own || !lock.readLock().tryLock()) {
      return false;
    }
    if (dying) {
      lock.readLock().unlock();
      return false;
    }
    return true;
  }

  /** Undoes {@link #tryLockForReading} where the end of the space must not come now. */
  void unlockAfterTry() {
    lock.readLock().unlock();
  }

  /** Takes the lock for reading even where the space is gone. */
  void lockToLook() {
    lock.readLock().lock();
  }

  /**
   * Ends the space: now if the lock can be had, else when those who have it let go. A driver's
   * callback of this very space is among these.
   */
  void end() {
    dying = true;
    boolean own = lock.isWriteLockedByCurrentThread() || lock.getReadHoldCount() > 0;
    if (!own && !inDriverCall.getAsBoolean()) {
      lock.writeLock().lock();
      endLocked();
      return;
    }
    endIfDying();
  }

  /** Brings about an end that was asked for, if nobody has the lock. */
  void endIfDying() {
    // Who holds the lock when this try fails comes by here afterwards.
    if (dying && !gone && lock.getReadHoldCount() == 0
        && !lock.isWriteLockedByCurrentThread() && lock.writeLock().tryLock()) {
      endLocked();
    }
  }

  private void endLocked() {
    try {
      if (!gone) {
        gone = true;
        end.run();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * A driver's callback holds the lock of the space that it is called for. Two that wait for each
   * other's would wait for ever if the watchdog could not interrupt them.
   */
  private void acquire(Lock half) throws ErrnoException {
    if (lock.isWriteLockedByCurrentThread() || lock.getReadHoldCount() > 0) {
      throw new ErrnoException(
          Errno.EDEADLK,
          "a driver's callback called back into the address space of process " + pid);
    }
    if (inDriverCall.getAsBoolean()) {
      try {
        half.lockInterruptibly();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ErrnoException(
            Errno.EDEADLK,
            "a driver's callback waited for the address space of process " + pid
                + " until it was interrupted");
      }
    } else {
      half.lock();
    }
    failIfDying(half);
  }

  private void failIfDying(Lock half) throws ErrnoException {
    if (dying) {
      half.unlock();
      endIfDying();
      throw new ErrnoException(Errno.ESRCH, "process " + pid + " has no memory any more");
    }
  }
}
