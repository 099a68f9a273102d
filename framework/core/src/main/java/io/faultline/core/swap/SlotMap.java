// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import java.util.BitSet;

/**
 * The slots of one device: how many entries name each, whether a page of the swap cache stands for
 * it ({@code swap_map}). Not thread-safe.
 */
final class SlotMap {
  private static final int CACHED = 1 << 31;

  private final int slots;
  private final BitSet taken;
  private final int[] states;
  /** When each slot's page was taken out of memory, by the clock of evictions. */
  private final int[] shadows;
  private int used;
  private int next;

  SlotMap(int slots) {
    this.slots = slots;
    this.taken = new BitSet(slots);
    this.states = new int[slots];
    this.shadows = new int[slots];
  }

  int slots() {
    return slots;
  }

  int used() {
    return used;
  }

  /**
   * Takes a slot for a page that is in the swap cache; after the last one taken if that is free, so
   * that what leaves together lies together.
   *
   * @return -1 when all are in use
   */
  int take() {
    if (used == slots) {
      return -1;
    }
    int slot = taken.nextClearBit(next);
    if (slot >= slots) {
      slot = taken.nextClearBit(0);
    }
    taken.set(slot);
    states[slot] = CACHED;
    used++;
    next = slot + 1;
    return slot;
  }

  boolean isTaken(int slot) {
    return slot >= 0 && slot < slots && taken.get(slot);
  }

  int count(int slot) {
    return states[slot] & ~CACHED;
  }

  boolean isCached(int slot) {
    return (states[slot] & CACHED) != 0;
  }

  void setCached(int slot) {
    states[slot] |= CACHED;
  }

  /** Returns whether the slot is unused now: it stays taken until {@link #release}. */
  boolean clearCached(int slot) {
    states[slot] &= ~CACHED;
    return states[slot] == 0;
  }

  void increment(int slot) {
    requireTaken(slot);
    states[slot]++;
  }

  /** Returns whether the slot is unused now: it stays taken until {@link #release}. */
  boolean decrement(int slot) {
    requireTaken(slot);
    if (count(slot) == 0) {
      throw new IllegalStateException("swap slot " + slot + " is named by no entry");
    }
    states[slot]--;
    return states[slot] == 0;
  }

  /** An unused slot, of which the device has heard that it is, can be taken again. */
  void release(int slot) {
    requireTaken(slot);
    taken.clear(slot);
    used--;
  }

  int shadow(int slot) {
    return shadows[slot];
  }

  void setShadow(int slot, int shadow) {
    shadows[slot] = shadow;
  }

  private void requireTaken(int slot) {
    if (!isTaken(slot)) {
      throw new IllegalStateException("swap slot " + slot + " is not in use");
    }
  }

  /** Checks the sums. */
  void validate(String name) {
    if (taken.cardinality() != used) {
      throw new IllegalStateException(
          name + ": " + taken.cardinality() + " slots are in use, counted " + used);
    }
    for (int slot = 0; slot < slots; slot++) {
      if ((states[slot] != 0) != taken.get(slot)) {
        throw new IllegalStateException(
            name + ": slot " + slot + " has state " + states[slot] + ", in use: "
                + taken.get(slot));
      }
    }
  }
}
