// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_WRITE;

/**
 * The page counters of an address space ({@code total_vm}, {@code data_vm}, {@code exec_vm}, {@code
 * stack_vm}, {@code locked_vm}), in pages. Guarded by the space's lock.
 */
public final class VmAccount {
  private long total;
  private long data;
  private long exec;
  private long stack;
  private long locked;
  private long stranded;
  private long peak;

  /** Adds pages of an area with these flags; fewer when negative ({@code vm_stat_account}). */
  void add(long flags, long pages) {
    peak = Math.max(peak, total);
    total += pages;
    if (isExec(flags)) {
      exec += pages;
    } else if ((flags & VM_GROWSDOWN) != 0) {
      stack += pages;
    } else if (isData(flags)) {
      data += pages;
    }
  }

  void addLocked(long pages) {
    locked += pages;
  }

  /**
   * Notes that pages were unlocked and are not taken off the account: Linux 6.18 does so with what
   * MREMAP_DONTUNMAP leaves behind.
   */
  void strandLocked(long pages) {
    stranded += pages;
  }

  /** Pages in {@link #locked} that no locked area accounts for. */
  long stranded() {
    return stranded;
  }

  /** Whether an area with these flags counts for RLIMIT_DATA ({@code is_data_mapping}). */
  static boolean isData(long flags) {
    return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
  }

  private static boolean isExec(long flags) {
    return (flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC;
  }

  /** A copy for the child of a fork: the same, but nothing is locked. */
  void copyFrom(VmAccount parent) {
    total = parent.total;
    data = parent.data;
    exec = parent.exec;
    stack = parent.stack;
    locked = 0;
  }

  /** Forgets that there was ever more than now: after a fork. */
  void resetPeak() {
    peak = total;
  }

  /** {@code VmPeak}: the most that there ever was. */
  public long peak() {
    return Math.max(peak, total);
  }

  /** {@code VmSize}. */
  public long total() {
    return total;
  }

  /** {@code VmData}. */
  public long data() {
    return data;
  }

  /** {@code VmExe} and {@code VmLib} together. */
  public long exec() {
    return exec;
  }

  /** {@code VmStk}. */
  public long stack() {
    return stack;
  }

  /** {@code VmLck}. */
  public long locked() {
    return locked;
  }
}
