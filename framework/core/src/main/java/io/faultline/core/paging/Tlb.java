// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.mm.Mman;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The translations that one {@link Cpu} remembers: direct-mapped, {@value #SLOTS} pages. Filled by the
 * thread that owns it, emptied by whoever flushes. The package's description has the protocol and why
 * it holds.
 */
final class Tlb {
  /** Pages. */
  static final int SLOTS = 256;

  /** A slot is four longs: the page that may be read, written, executed; what leads to its frame. */
  static final int READ = 0;
  static final int WRITE = 1;
  static final int EXECUTE = 2;
  /** To be added to an address of the page; gives a location in the arena. */
  static final int DELTA = 3;
  /** In the place of a page: none. No page, since it is not aligned. */
  static final long NO_PAGE = -1;

  private static final int SLOT_SHIFT = 2;
  private static final VarHandle TAG = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle OWNER;
  private static final VarHandle IN_ACCESS;
  private static final VarHandle SHOOTDOWNS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      OWNER = lookup.findVarHandle(Tlb.class, "owner", Thread.class);
      IN_ACCESS = lookup.findVarHandle(Tlb.class, "inAccess", int.class);
      SHOOTDOWNS = lookup.findVarHandle(Tlb.class, "shootdowns", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final long[] entries = new long[SLOTS << SLOT_SHIFT];

  /** The thread that uses the Cpu. Read plainly by that thread, else through OWNER. */
  private @Nullable Thread owner;

  /** 1 while the owner stores through a translation. Written by the owner, through IN_ACCESS. */
  @SuppressWarnings("unused") private int inAccess;

  /** Flushes that have emptied slots and still wait for the owner. Through SHOOTDOWNS. */
  @SuppressWarnings("unused") private int shootdowns;

  Tlb() {
    clear();
  }

  /** The index of a page's slot. */
  static int slot(long address) {
    return (int) (address >>> Mman.PAGE_SHIFT - SLOT_SHIFT) & SLOTS - 1 << SLOT_SHIFT;
  }

  // What the owner does.

  boolean isOwnedBy(Thread thread) {
    return owner == thread;
  }

  /** Makes a thread the owner, with an empty TLB. */
  void bind(Thread thread) {
    OWNER.setVolatile(this, thread);
    clear();
    // Orders the new owner before the generation that its first fill reads.
    VarHandle.fullFence();
  }

  /** Begins a store: what is read from {@link #entries} after this stands until {@link #leave}. */
  void enter() {
    // The light half of the asymmetric barrier: no instruction, but the compiler keeps the order.
    IN_ACCESS.setOpaque(this, 1);
    // And what was loaded and stored before comes before this store: no instruction on x86 either.
    VarHandle.releaseFence();
  }

  /** Ends a store. */
  void leave() {
    IN_ACCESS.setRelease(this, 0);
  }

  /**
   * Writes a slot and then passes a full barrier; the caller checks afterwards that no flush came
   * between.
   */
  void fill(long page, boolean read, boolean write, boolean execute, long delta) {
    int slot = slot(page);
    empty(slot);
    entries[slot + DELTA] = delta;
    TAG.setRelease(entries, slot + READ, read ? page : NO_PAGE);
    TAG.setRelease(entries, slot + WRITE, write ? page : NO_PAGE);
    TAG.setRelease(entries, slot + EXECUTE, execute ? page : NO_PAGE);
    VarHandle.fullFence();
  }

  /** Empties a slot. */
  void empty(int slot) {
    TAG.setRelease(entries, slot + READ, NO_PAGE);
    TAG.setRelease(entries, slot + WRITE, NO_PAGE);
    TAG.setRelease(entries, slot + EXECUTE, NO_PAGE);
  }

  private void clear() {
    Arrays.fill(entries, NO_PAGE);
  }

  // What a flush does.

  /**
   * Empties the slots of a range.
   *
   * @return whether the owner is another thread that may be storing through one of them: then the
   *     caller passes a heavy barrier and calls {@link #awaitAccess}
   */
  boolean invalidate(long start, long end) {
    boolean announced = false;
    if (end - start >>> Mman.PAGE_SHIFT <= SLOTS) {
      for (long page = start; page < end; page += Mman.PAGE_SIZE) {
        announced = invalidateSlot(slot(page), page, page + 1, announced);
      }
    } else {
      for (int slot = 0; slot < entries.length; slot += 1 << SLOT_SHIFT) {
        announced = invalidateSlot(slot, start, end, announced);
      }
    }
    if (!announced) {
      if ((int) SHOOTDOWNS.getVolatile(this) == 0) {
        return false;
      }
      // The slot may be empty only because another flush has emptied it and still waits.
      SHOOTDOWNS.getAndAdd(this, 1);
    }
    // Asked after the slots were emptied: what a new owner fills now is not what was emptied.
    VarHandle.fullFence();
    if (OWNER.getVolatile(this) == Thread.currentThread()) {
      SHOOTDOWNS.getAndAdd(this, -1);
      return false;
    }
    return true;
  }

  /** Returns whether the flush is announced now, which it is before the first slot is emptied. */
  private boolean invalidateSlot(int slot, long start, long end, boolean announced) {
    boolean now = announced;
    for (int kind = READ; kind <= EXECUTE; kind++) {
      long page = (long) TAG.getAcquire(entries, slot + kind);
      if (page >= start && page < end) {
        if (!now) {
          SHOOTDOWNS.getAndAdd(this, 1);
          now = true;
        }
        TAG.setRelease(entries, slot + kind, NO_PAGE);
      }
    }
    return now;
  }

  /** Waits until no store is under way that began before the heavy barrier. */
  void awaitAccess() {
    int spins = 0;
    while ((int) IN_ACCESS.getAcquire(this) != 0) {
      // A store takes nanoseconds, unless the host has taken its thread off the processor.
      if (++spins < 200) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    SHOOTDOWNS.getAndAdd(this, -1);
  }
}
