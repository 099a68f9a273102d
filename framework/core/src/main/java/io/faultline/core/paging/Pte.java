// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

/**
 * One entry of a page table, as x86-64 lays it out, in a long. Static helpers only; 0 is no entry.
 *
 * <pre>
 *  bit 63  62..59  58..52  51..12  11          10    9        8         6      5         2     1         0
 *      NX  pkey    -       frame   SOFT_DIRTY  ANON  SPECIAL  PROTNONE  DIRTY  ACCESSED  USER  WRITABLE  PRESENT
 * </pre>
 *
 * <p>An entry with a frame has PRESENT or, for a page of a PROT_NONE area, PROTNONE instead: it keeps
 * its frame and allows nothing. x86 knows no right to read: what is present can be read (a protection
 * key may forbid it), what is WRITABLE can be read too.
 *
 * <p>Other entries without PRESENT hold a kind in bits 3 to 7 (never 8) and a value from bit 12 on:
 * {@link #GUARD}, or {@linkplain #swap a swap slot}.
 */
public final class Pte {
  /** No entry. */
  public static final long NONE = 0;

  public static final long PRESENT = 1L;
  public static final long WRITABLE = 1L << 1;
  /** User mode may access it; set in every entry with a frame, as x86 wants it. */
  public static final long USER = 1L << 2;
  public static final long ACCESSED = 1L << 5;
  public static final long DIRTY = 1L << 6;
  /** With PRESENT clear: has a frame, allows nothing. */
  public static final long PROTNONE = 1L << 8;
  /** The frame is not reference counted by this entry: PFNMAP, or the page of zeros. */
  public static final long SPECIAL = 1L << 9;
  /** A private anonymous page, owned through an anon_vma. */
  public static final long ANON = 1L << 10;
  /** Written since the soft-dirty bits were last cleared ({@code /proc/PID/clear_refs}). */
  public static final long SOFT_DIRTY = 1L << 11;
  /** What a store leaves behind. */
  public static final long WRITTEN = DIRTY | SOFT_DIRTY;
  /** Must not be executed. */
  public static final long NX = 1L << 63;

  /** All bits of the protection: what {@link #withProtection} replaces. */
  public static final long PROTECTION = PRESENT | WRITABLE | USER | PROTNONE | NX | 0xFL << 59;

  /** Not present; an access is SEGV_MAPERR ({@code MADV_GUARD_INSTALL}). */
  public static final long GUARD = 1L << 3;

  private static final int FRAME_SHIFT = 12;
  private static final long FRAME_MASK = (1L << 40) - 1;
  private static final int PKEY_SHIFT = 59;
  private static final long KIND_MASK = 0x1FL << 3;
  private static final long KIND_SWAP = 2L << 3;

  private Pte() {}

  /**
   * The protection bits for the rights of an area, {@code vm_get_page_prot}: none of the three gives
   * PROTNONE; reading needs no bit. Whether a private page may be written at once or is to be copied
   * first is for the caller to say by {@code write}.
   *
   * @param protectionKey 0 to 15
   */
  public static long protection(boolean read, boolean write, boolean execute, int protectionKey) {
    long key = (long) (protectionKey & 0xF) << PKEY_SHIFT;
    if (!read && !write && !execute) {
      return PROTNONE | USER | NX | key;
    }
    return PRESENT | USER | (write ? WRITABLE : 0) | (execute ? 0 : NX) | key;
  }

  /**
   * An entry for a frame.
   *
   * @param protection from {@link #protection}
   * @param flags of ACCESSED, DIRTY, SPECIAL, ANON, SOFT_DIRTY, or 0
   */
  public static long of(long frame, long protection, long flags) {
    return frame << FRAME_SHIFT | protection | flags;
  }

  /** The same frame and state with another protection ({@code pte_modify}). */
  public static long withProtection(long entry, long protection) {
    return entry & ~PROTECTION | protection;
  }

  /** Whether the entry has a frame: PRESENT or PROTNONE ({@code pte_present}). */
  public static boolean hasFrame(long entry) {
    return (entry & (PRESENT | PROTNONE)) != 0;
  }

  /** The frame of an entry that {@link #hasFrame has one}. */
  public static long frame(long entry) {
    return entry >>> FRAME_SHIFT & FRAME_MASK;
  }

  /** Whether some access is allowed at all, by the entry. */
  public static boolean isPresent(long entry) {
    return (entry & PRESENT) != 0;
  }

  public static boolean isWritable(long entry) {
    return (entry & (PRESENT | WRITABLE)) == (PRESENT | WRITABLE);
  }

  public static boolean isExecutable(long entry) {
    return (entry & PRESENT) != 0 && (entry & NX) == 0;
  }

  public static boolean isDirty(long entry) {
    return (entry & DIRTY) != 0;
  }

  /** Whether both marks of a store stand: the next one need not come by. */
  static boolean isWritten(long entry) {
    return (entry & WRITTEN) == WRITTEN;
  }

  public static boolean isSoftDirty(long entry) {
    return (entry & SOFT_DIRTY) != 0;
  }

  public static boolean isAccessed(long entry) {
    return (entry & ACCESSED) != 0;
  }

  public static boolean isAnonymous(long entry) {
    return (entry & ANON) != 0;
  }

  /** Whether this entry holds no reference on its frame. */
  public static boolean isSpecial(long entry) {
    return (entry & SPECIAL) != 0;
  }

  /** The protection key of an entry that has a frame. */
  public static int protectionKey(long entry) {
    return (int) (entry >>> PKEY_SHIFT) & 0xF;
  }

  /** Without the right to write ({@code pte_wrprotect}). */
  public static long writeProtected(long entry) {
    return entry & ~WRITABLE;
  }

  public static boolean isGuard(long entry) {
    return entry == GUARD;
  }

  /**
   * An entry for a page in swap.
   *
   * @param slot 0 to 2<sup>40</sup> - 1
   */
  public static long swap(long slot) {
    return slot << FRAME_SHIFT | KIND_SWAP;
  }

  public static boolean isSwap(long entry) {
    return (entry & (PRESENT | PROTNONE)) == 0 && (entry & KIND_MASK) == KIND_SWAP;
  }

  /** The slot of a {@link #isSwap swap} entry. */
  public static long swapSlot(long entry) {
    return entry >>> FRAME_SHIFT & FRAME_MASK;
  }

  /** For messages. */
  public static String toString(long entry) {
    if (entry == NONE) {
      return "none";
    }
    if (isGuard(entry)) {
      return "guard";
    }
    if (isSwap(entry)) {
      return "swap slot " + swapSlot(entry);
    }
    StringBuilder text = new StringBuilder("frame ").append(frame(entry));
    text.append(isPresent(entry) ? " r" : " -");
    text.append(isWritable(entry) ? 'w' : '-').append(isExecutable(entry) ? 'x' : '-');
    if (isAccessed(entry)) {
      text.append(" accessed");
    }
    if (isDirty(entry)) {
      text.append(" dirty");
    }
    if (isAnonymous(entry)) {
      text.append(" anon");
    }
    if (isSpecial(entry)) {
      text.append(" special");
    }
    if (protectionKey(entry) != 0) {
      text.append(" pkey ").append(protectionKey(entry));
    }
    return text.toString();
  }
}
