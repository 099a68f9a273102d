// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * The pages of one object (a file, a shared memory) by their index within it, {@code address_space}
 * of Linux. Holds one reference on each frame. Thread-safe.
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

  private final PhysicalMemory memory;
  private final java.util.TreeMap<Long, Long> pages = new java.util.TreeMap<>();

  /**
   * @param memory whose frames it holds
   */
  public PageCache(PhysicalMemory memory) {
    this.memory = memory;
  }

  /**
   * The frame of a page, without a reference: good only while the caller keeps it from being removed.
   *
   * @param index in pages
   * @return {@link PhysicalMemory#NONE} when there is none
   */
  public synchronized long get(long index) {
    return pages.getOrDefault(index, PhysicalMemory.NONE);
  }

  /**
   * The frame of a page, with a reference that the caller drops: {@code find_get_page}.
   *
   * @return {@link PhysicalMemory#NONE} when there is none
   */
  public synchronized long acquire(long index) {
    long frame = get(index);
    if (frame != PhysicalMemory.NONE) {
      memory.get(frame);
    }
    return frame;
  }

  /**
   * Puts a page in if there is none; the cache takes a reference of its own, the caller's stays the
   * caller's.
   *
   * @return the frame that is in the cache now: the given one, or the one that was there first
   */
  public synchronized long add(long index, long frame) {
    Long there = pages.putIfAbsent(index, frame);
    if (there != null) {
      return there;
    }
    memory.get(frame);
    return frame;
  }

  /**
   * Takes a page out and drops the cache's reference.
   *
   * @return whether there was one
   */
  public synchronized boolean remove(long index) {
    Long frame = pages.remove(index);
    if (frame != null) {
      memory.put(frame);
    }
    return frame != null;
  }

  /** Removes the pages of a half-open range; both in pages. */
  public synchronized void removeRange(long from, long to) {
    var range = pages.subMap(from, to);
    range.values().forEach(memory::put);
    range.clear();
  }

  /** Shows all pages in ascending order. */
  public synchronized void forEach(PageVisitor visitor) {
    pages.forEach(visitor::page);
  }

  /** The number of pages. */
  public synchronized long size() {
    return pages.size();
  }

  /** Removes all pages. */
  public void clear() {
    removeRange(0, Long.MAX_VALUE);
  }
}
