// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import io.faultline.mm.Mman;
import io.faultline.mm.Protection;
import io.faultline.mm.SignalCode;
import org.jspecify.annotations.Nullable;

/** All that is known of one mapped page of a process. */
final class NaivePage {
  final NaiveObject object;
  final long index;
  /** MAP_SHARED. */
  final boolean shared;
  /** False for a shared mapping of a file that is open for reading only. */
  final boolean mayWrite;

  int prot;
  boolean locked;
  /** Locked, but only when it is faulted in ({@code MLOCK_ONFAULT}). */
  boolean lockedOnFault;
  boolean dontFork;
  boolean wipeOnFork;
  boolean guard;
  /** A private page's own contents, once it has been written. */
  @Nullable Cell own;

  NaivePage(NaiveObject object, long index, boolean shared, boolean mayWrite, int prot) {
    this.object = object;
    this.index = index;
    this.shared = shared;
    this.mayWrite = mayWrite;
    this.prot = prot;
  }

  /** A page that continues this one's mapping: the same in all but what it holds. */
  NaivePage continued(long pages) {
    NaivePage page = new NaivePage(object, index + pages, shared, mayWrite, prot);
    page.lock(locked, lockedOnFault);
    page.dontFork = dontFork;
    page.wipeOnFork = wipeOnFork;
    return page;
  }

  /** The child's page after fork. */
  NaivePage forked() {
    NaivePage page = continued(0);
    page.lock(false, false);
    if (!wipeOnFork) {
      page.guard = guard;
      page.own = own == null ? null : new Cell(own.value);
    }
    return page;
  }

  void lock(boolean lock, boolean onFault) {
    locked = lock;
    lockedOnFault = lock && onFault;
  }

  boolean anonymous() {
    return object.kind == NaiveObject.Kind.ZEROS;
  }

  /** Execute-only memory has a protection key that denies everything else. */
  boolean executeOnly() {
    return prot == Mman.PROT_EXEC;
  }

  boolean writable() {
    return (prot & Mman.PROT_WRITE) != 0;
  }

  /** Why an access to it is refused, or null. */
  @Nullable SignalCode refusal(boolean write) {
    if (executeOnly()) {
      return SignalCode.SEGV_PKUERR;
    }
    if (write ? !writable() : prot == 0) {
      return SignalCode.SEGV_ACCERR;
    }
    if (guard) {
      return SignalCode.SEGV_MAPERR;
    }
    return contents() == null ? SignalCode.BUS_ADRERR : null;
  }

  /** What a read of it finds; null behind the end of the object. */
  @Nullable Cell contents() {
    return own != null ? own : object.cell(index);
  }

  void write(long value) {
    writtenCell().value = value;
  }

  /** The cell that takes a write: a private page's is its own, copied at the first. */
  private Cell writtenCell() {
    Cell old = contents();
    if (old == null) {
      throw new IllegalStateException("a write behind the end");
    }
    if (shared) {
      return old;
    }
    if (own == null) {
      own = new Cell(old.value);
    }
    return own;
  }

  /**
   * The kernel faults it in before it is touched; a private page that may be written is copied.
   *
   * @return whether it could
   */
  boolean populate() {
    if (prot == 0 || executeOnly() || guard || contents() == null) {
      return false;
    }
    if (writable() && !shared) {
      Cell unused = writtenCell();
    }
    return true;
  }

  /** Whether it can be in one area with a page at a distance of so many pages. */
  boolean alike(NaivePage first, long distance) {
    return prot == first.prot
        && shared == first.shared
        && mayWrite == first.mayWrite
        && locked == first.locked
        && lockedOnFault == first.lockedOnFault
        && dontFork == first.dontFork
        && wipeOnFork == first.wipeOnFork
        && object == first.object
        && (anonymous() || index == first.index + distance);
  }

  @Override
  public String toString() {
    return Protection.ofProt(prot)
        + (shared ? " shared " : " private ")
        + object.kind
        + " page " + index
        + (mayWrite ? "" : " read-only")
        + (lockedOnFault ? " locked on fault" : locked ? " locked" : "")
        + (dontFork ? " dontFork" : "")
        + (wipeOnFork ? " wipeOnFork" : "")
        + (guard ? " guard" : "");
  }
}
