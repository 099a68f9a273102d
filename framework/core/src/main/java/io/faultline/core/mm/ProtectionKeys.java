// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.area.VmBits;
import io.faultline.core.paging.PageTables;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlags;

/**
 * The protection keys of an address space: which are allocated, which one makes execute-only areas,
 * and what each allows (PKRU; here one for all threads of a space). Guarded by the space's lock.
 */
public final class ProtectionKeys {
  /** No key: {@code mprotect} without one. */
  static final int NO_KEY = -1;

  private static final int KEYS = 16;
  private static final int DENY_ACCESS = 1;
  private static final int DENY_WRITE = 2;
  /** Everything but key 0 is denied until it is allocated ({@code init_pkru_value}). */
  private static final int INITIAL_PKRU = 0x5555_5554;

  private final boolean present;
  private final PageTables tables;
  /** Bit 0 is the key of all areas; without the hardware even that one is not allocated. */
  private int allocated;
  private int executeOnly = NO_KEY;

  ProtectionKeys(boolean present, PageTables tables) {
    this.present = present;
    this.tables = tables;
    this.allocated = present ? 1 : 0;
    tables.setPkru(present ? INITIAL_PKRU : 0);
  }

  void copyFrom(ProtectionKeys parent) {
    allocated = parent.allocated;
    executeOnly = parent.executeOnly;
    tables.setPkru(parent.tables.pkru());
  }

  /** {@code pkey_alloc(2)}. */
  int allocate(int flags, int rights) throws ErrnoException {
    if (flags != 0) {
      throw new ErrnoException(Errno.EINVAL, "flags: must be 0");
    }
    if ((rights & ~(DENY_ACCESS | DENY_WRITE)) != 0) {
      throw new ErrnoException(Errno.EINVAL, "accessRights: only bits 0 and 1 are defined");
    }
    if (!present && allocated == 0) {
      // Linux takes key 0, fails to set its rights and fails to give it back, since 0 also stands
      // for the execute-only key that was never set up: the next call finds none free.
      allocated = 1;
      throw new ErrnoException(Errno.EINVAL, "this processor has no protection keys");
    }
    int key = present ? takeFree() : NO_KEY;
    if (key <= 0) {
      throw new ErrnoException(Errno.ENOSPC, "no protection key is free");
    }
    setRights(key, rights);
    return key;
  }

  /** {@code pkey_free(2)}. */
  void free(int key) throws ErrnoException {
    if (!isAllocated(key)) {
      throw new ErrnoException(Errno.EINVAL, "pkey: " + key + " is not allocated");
    }
    allocated &= ~(1 << key);
  }

  /** Whether a program may name the key ({@code mm_pkey_is_allocated}). */
  boolean isAllocated(int key) {
    return present
        && key >= 0
        && key < KEYS
        && key != executeOnly
        && (allocated & (1 << key)) != 0;
  }

  /**
   * The key that makes areas execute-only, allocated at the first use ({@code execute_only_pkey}).
   *
   * @return the key, or 0 when there is none
   */
  int executeOnly() {
    if (!present) {
      return 0;
    }
    if (executeOnly == NO_KEY) {
      int key = takeFree();
      if (key < 0) {
        return 0;
      }
      executeOnly = key;
    }
    if (allowsRead(executeOnly)) {
      setRights(executeOnly, DENY_ACCESS);
    }
    return executeOnly;
  }

  /** The key that a part of an area gets by mprotect ({@code arch_override_mprotect_pkey}). */
  int forMprotect(Area area, boolean executeOnlyAsked, int key) {
    if (key != NO_KEY) {
      return key;
    }
    int current = new VmFlags(area.flagBits()).protectionKey();
    if (executeOnlyAsked) {
      int only = executeOnly();
      return only > 0 ? only : current;
    }
    boolean wasExecuteOnly =
        (area.flagBits() & VmBits.VM_ACCESS) == VmBits.VM_EXEC && current == executeOnly;
    return wasExecuteOnly ? 0 : current;
  }

  /** Whether the area's key allows a load, or a store ({@code arch_vma_access_permitted}). */
  public boolean permits(Area area, boolean write) {
    int key = new VmFlags(area.flagBits()).protectionKey();
    int rights = tables.pkru() >>> (key * 2);
    return (rights & DENY_ACCESS) == 0 && !(write && (rights & DENY_WRITE) != 0);
  }

  private boolean allowsRead(int key) {
    return (tables.pkru() >>> (key * 2) & DENY_ACCESS) == 0;
  }

  private int takeFree() {
    int key = Integer.numberOfTrailingZeros(~allocated);
    if (key >= KEYS) {
      return NO_KEY;
    }
    allocated |= 1 << key;
    return key;
  }

  private void setRights(int key, int rights) {
    tables.setPkru(tables.pkru() & ~(3 << (key * 2)) | rights << (key * 2));
  }
}
