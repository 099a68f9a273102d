// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.core.memory.PhysicalMemory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.LongAdder;

/**
 * The last level of a page table: 512 entries for 2 MiB. Read without a lock; written with its own
 * monitor held, the page-table lock.
 */
final class LeafTable {
  static final int ENTRIES = 512;
  private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);

  private final PhysicalMemory memory;
  /** Of all tables of the space: entries that hold a reference on a frame. */
  private final LongAdder residentOfAll;
  private final long[] entries = new long[ENTRIES];
  /** Entries that are not 0. Guarded by this. */
  private int used;
  /** Entries that hold a reference on a frame. Guarded by this. */
  private int resident;
  /** Taken out of the tree: what is written here is lost. Guarded by this. */
  private boolean detached;

  /**
   * @param memory whose frames count the entries that map them
   * @param residentOfAll counts the entries of all tables that hold a reference on a frame
   */
  LeafTable(PhysicalMemory memory, LongAdder residentOfAll) {
    this.memory = memory;
    this.residentOfAll = residentOfAll;
  }

  long get(int index) {
    return (long) ENTRY.getAcquire(entries, index);
  }

  /** Precondition: the caller holds the monitor. */
  void set(int index, long entry) {
    long before = entries[index];
    used += (entry == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
    count(before, entry);
    ENTRY.setRelease(entries, index, entry);
  }

  /**
   * Writes an entry if it is still the expected one and the table is in its tree.
   *
   * @return whether it was written
   */
  synchronized boolean replace(int index, long expected, long entry) {
    if (detached || entries[index] != expected) {
      return false;
    }
    set(index, entry);
    return true;
  }

  /** Keeps the frames' counts of the entries that map them: here, so that no writer can forget. */
  private void count(long before, long after) {
    boolean had = isResident(before);
    boolean has = isResident(after);
    if (had && has && Pte.frame(before) == Pte.frame(after)) {
      return;
    }
    if (has != had) {
      residentOfAll.add(has ? 1 : -1);
    }
    if (has) {
      resident++;
      memory.table().countMapping(Pte.frame(after), 1);
    }
    if (had) {
      resident--;
      memory.table().countMapping(Pte.frame(before), -1);
    }
  }

  private static boolean isResident(long entry) {
    return Pte.hasFrame(entry) && !Pte.isSpecial(entry);
  }

  /** Precondition: the caller holds the monitor. */
  boolean isEmpty() {
    return used == 0;
  }

  /** Entries that are not 0. Precondition: the caller holds the monitor. */
  int used() {
    return used;
  }

  /** Precondition: the caller holds the monitor. */
  int resident() {
    return resident;
  }

  /** Precondition: the caller holds the monitor. */
  boolean isDetached() {
    return detached;
  }

  /** Precondition: the caller holds the monitor. */
  void detach() {
    detached = true;
  }
}
