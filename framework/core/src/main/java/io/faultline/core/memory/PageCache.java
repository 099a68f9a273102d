// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one object (a file, a shared memory) by their index within it, {@code address_space} of
 * Linux. Holds one reference on each frame.
 *
 * <p>Where a page was taken out of memory, a value may stand in its place that tells where it is, or
 * when it left ({@code xa_value}): shared memory keeps its swap entries there, files their shadows.
 *
 * <p>A radix tree of 64 slots a node that is as high as the largest index needs. Thread-safe: look-up
 * and walks take no lock, changes take the cache's own (and, below it, that of physical memory).
 */
public final class PageCache {
  /** Is shown a page of the cache. */
  @FunctionalInterface
  public interface PageVisitor {
    /**
     * @param index in pages from the object's beginning
     * @param frame its frame
     */
    void page(long index, long frame);
  }

  /** Marks a slot that holds a value, not a frame. */
  private static final long VALUE = Long.MIN_VALUE;
  private static final int BITS = 6;
  private static final int SLOTS = 1 << BITS;
  private static final long MASK = SLOTS - 1;
  private static final VarHandle CHILD = MethodHandles.arrayElementVarHandle(Object[].class);
  private static final VarHandle FRAME = MethodHandles.arrayElementVarHandle(long[].class);

  /** Is shown a value that leaves the cache. */
  @FunctionalInterface
  public interface ValueVisitor {
    /**
     * @param value as it was given to {@link #replace}
     */
    void value(long value);
  }

  /**
   * The top of the tree: a node covers 2<sup>{@code shift} + 6</sup> indices. Leaves ({@code shift}
   * 0) are {@code long[]} of frame numbers, 0 for none, negative for values; nodes above are {@code Object[]}.
   */
  private record Root(Object node, int shift) {
    boolean covers(long index) {
      return shift + BITS >= Long.SIZE || index >>> shift + BITS == 0;
    }
  }

  private final PhysicalMemory memory;
  /** Written with this held. */
  private volatile Root root = new Root(new long[SLOTS], 0);
  /** Written with this held. */
  private volatile long size;

  /**
   * @param memory whose frames it holds
   */
  public PageCache(PhysicalMemory memory) {
    this.memory = memory;
  }

  /**
   * The frame of a page, without a reference: good only while the caller keeps it from being removed.
   *
   * @param index in pages, not negative
   * @return {@link PhysicalMemory#NONE} when there is none
   */
  public long get(long index) {
    long slot = slotOf(index);
    return slot <= 0 ? PhysicalMemory.NONE : slot;
  }

  /**
   * The value in a page's place.
   *
   * @param index in pages, not negative
   * @return {@link PhysicalMemory#NONE} when there is none
   */
  public long value(long index) {
    long slot = slotOf(index);
    return slot < 0 ? slot & ~VALUE : PhysicalMemory.NONE;
  }

  private long slotOf(long index) {
    Root top = root;
    if (!top.covers(index)) {
      return 0;
    }
    Object node = top.node;
    for (int shift = top.shift; shift > 0; shift -= BITS) {
      node = CHILD.getAcquire((Object[]) node, slot(index, shift));
      if (node == null) {
        return 0;
      }
    }
    return (long) FRAME.getAcquire((long[]) node, slot(index, 0));
  }

  /**
   * The frame of a page, with a reference that the caller drops: {@code filemap_get_folio}. Safe
   * against removal at the same time.
   *
   * @param index in pages, not negative
   * @return {@link PhysicalMemory#NONE} when there is none
   */
  public long acquire(long index) {
    while (true) {
      long frame = get(index);
      if (frame == PhysicalMemory.NONE) {
        return PhysicalMemory.NONE;
      }
      if (memory.tryGet(frame)) {
        if (get(index) == frame) {
          return frame;
        }
        // It went, and may be another's by now.
        memory.put(frame);
      }
    }
  }

  /**
   * Puts a page in if there is none; the cache takes a reference of its own, the caller's stays the
   * caller's. A value in its place is gone then.
   *
   * @param index in pages, not negative
   * @return the frame that is in the cache now: the given one, or the one that was there first
   */
  public synchronized long add(long index, long frame) {
    if (index < 0) {
      throw new IllegalArgumentException("index = " + index + ": give 0 or more");
    }
    Root top = root;
    while (!top.covers(index)) {
      Object[] higher = new Object[SLOTS];
      higher[0] = top.node;
      top = new Root(higher, top.shift + BITS);
    }
    Object node = top.node;
    for (int shift = top.shift; shift > 0; shift -= BITS) {
      Object[] inner = (Object[]) node;
      int slot = slot(index, shift);
      node = inner[slot];
      if (node == null) {
        node = shift == BITS ? new long[SLOTS] : new Object[SLOTS];
        CHILD.setRelease(inner, slot, node);
      }
    }
    root = top;
    long[] leaf = (long[]) node;
    int slot = slot(index, 0);
    if (leaf[slot] > 0) {
      return leaf[slot];
    }
    memory.get(frame);
    FRAME.setRelease(leaf, slot, frame);
    size++;
    return frame;
  }

  /**
   * Puts a page in where a value stands; otherwise as {@link #add}.
   *
   * @return false when the value is not there any more; then nothing has changed
   */
  public synchronized boolean addForValue(long index, long value, long frame) {
    return value(index) == value && add(index, frame) == frame;
  }

  /**
   * Takes a page out of memory if nobody uses it, and frees its frame: the cache's reference and the
   * caller's are the only ones.
   *
   * @param frame that should be there; the caller holds one reference, which is gone on success
   * @param value to stand in its place, 0 or more; -1 for none
   * @return whether it is out; if not, nothing has changed
   */
  public synchronized boolean replace(long index, long frame, long value) {
    if (get(index) != frame || !memory.tryFreeze(frame, 2)) {
      return false;
    }
    // Who looks the page up meanwhile finds it frozen, and looks again.
    FRAME.setRelease(leaf(index), slot(index, 0), value < 0 ? 0 : value | VALUE);
    size--;
    memory.freeFrozen(frame);
    return true;
  }

  /**
   * Takes a page out, leaves a value in its place, and drops the cache's reference.
   *
   * @param frame that should be there
   * @param value 0 or more
   * @return whether it was there; if not, nothing has changed
   */
  public synchronized boolean leave(long index, long frame, long value) {
    if (get(index) != frame) {
      return false;
    }
    FRAME.setRelease(leaf(index), slot(index, 0), value | VALUE);
    size--;
    memory.put(frame);
    return true;
  }

  /** The leaf of an index that has something in it. */
  private long[] leaf(long index) {
    Root top = root;
    Object node = top.node;
    for (int shift = top.shift; shift > 0; shift -= BITS) {
      node = ((Object[]) node)[slot(index, shift)];
    }
    return (long[]) node;
  }

  /**
   * Takes a page out and drops the cache's reference.
   *
   * @return whether there was one
   */
  public boolean remove(long index) {
    return removeRange(index, index + 1) != 0;
  }

  /**
   * Takes out the pages of a half-open range of indices and drops the cache's references.
   *
   * @return how many there were
   */
  public long removeRange(long from, long to) {
    return removeRange(from, to, value -> {});
  }

  /**
   * As {@link #removeRange(long, long)}; values in the range are removed as well.
   *
   * @param values is shown each value; called with the cache's lock held
   */
  public synchronized long removeRange(long from, long to, ValueVisitor values) {
    Root top = root;
    long before = size;
    if (from < to) {
      removeBelow(top.node, top.shift, 0, from, to - 1, values);
    }
    return before - size;
  }

  /** Removes between two indices, both inclusive; returns whether the node is empty now. */
  private boolean removeBelow(
      Object node, int shift, long base, long from, long last, ValueVisitor values) {
    boolean empty = true;
    for (int i = 0; i < SLOTS; i++) {
      long low = base + ((long) i << shift);
      long high = low + (1L << shift) - 1;
      boolean inside = low <= last && high >= from;
      if (node instanceof long[] leaf) {
        long frame = leaf[i];
        if (inside && frame != 0) {
          FRAME.setRelease(leaf, i, 0L);
          if (frame > 0) {
            size--;
            memory.put(frame);
          } else {
            values.value(frame & ~VALUE);
          }
        }
        empty &= leaf[i] == 0;
      } else {
        Object[] inner = (Object[]) node;
        Object child = inner[i];
        if (inside && child != null
            && removeBelow(child, shift - BITS, low, from, last, values)) {
          CHILD.setRelease(inner, i, null);
        }
        empty &= inner[i] == null;
      }
    }
    return empty;
  }

  /**
   * Shows all pages in ascending order. Pages that come or go meanwhile may be shown or not.
   */
  public void forEach(PageVisitor visitor) {
    Root top = root;
    forEachBelow(top.node, top.shift, 0, visitor);
  }

  /** Shows all values in ascending order of their index; otherwise as {@link #forEach}. */
  public void forEachValue(PageVisitor visitor) {
    Root top = root;
    forEachValueBelow(top.node, top.shift, 0, visitor);
  }

  private static void forEachValueBelow(@Nullable Object node, int shift, long base,
      PageVisitor visitor) {
    if (node instanceof long[] leaf) {
      for (int i = 0; i < SLOTS; i++) {
        long value = (long) FRAME.getAcquire(leaf, i);
        if (value < 0) {
          visitor.page(base + i, value & ~VALUE);
        }
      }
    } else if (node instanceof Object[] inner) {
      for (int i = 0; i < SLOTS; i++) {
        forEachValueBelow(
            CHILD.getAcquire(inner, i), shift - BITS, base + ((long) i << shift), visitor);
      }
    }
  }

  private static void forEachBelow(@Nullable Object node, int shift, long base,
      PageVisitor visitor) {
    if (node instanceof long[] leaf) {
      for (int i = 0; i < SLOTS; i++) {
        long frame = (long) FRAME.getAcquire(leaf, i);
        if (frame > 0) {
          visitor.page(base + i, frame);
        }
      }
    } else if (node instanceof Object[] inner) {
      for (int i = 0; i < SLOTS; i++) {
        forEachBelow(CHILD.getAcquire(inner, i), shift - BITS, base + ((long) i << shift), visitor);
      }
    }
  }

  /** The number of pages. */
  public long size() {
    return size;
  }

  /** Removes all pages. */
  public void clear() {
    removeRange(0, Long.MAX_VALUE);
  }

  private static int slot(long index, int shift) {
    return (int) (index >>> shift & MASK);
  }
}
