// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one file that are in memory, and where the file is mapped: {@code struct address_space}
 * (a name that is taken here by what Linux calls mm_struct). All open files of an inode share one.
 * Thread-safe.
 */
public final class FileMapping implements FrameOwner {
  private static final int STRIPES = 64;

  private final PageCache cache;
  private final Places places = new Places();
  private final ReentrantReadWriteLock placesLock = new ReentrantReadWriteLock();
  private final @Nullable FilePages pages;
  /** By a frame's number modulo their count; made when a driver first protects a page. */
  private volatile @Nullable AtomicLongArray protections;

  /**
   * Of memory that is stored nowhere else.
   *
   * @param memory whose frames it will hold
   */
  public FileMapping(PhysicalMemory memory) {
    this(memory, null);
  }

  /**
   * @param memory whose frames it will hold
   * @param pages of a file that is stored somewhere; null for shared memory
   */
  public FileMapping(PhysicalMemory memory, @Nullable FilePages pages) {
    this.cache = new PageCache(memory);
    this.pages = pages;
  }

  /** Its pages by their index in the file. */
  public PageCache cache() {
    return cache;
  }

  /** How its pages are written back and dropped; null for shared memory, which is swapped. */
  public @Nullable FilePages pages() {
    return pages;
  }

  @Override
  public Places places() {
    return places;
  }

  /**
   * Changes when a driver has a page write-protected. A fault that asks the driver whether a page may be
   * written looks at it before, and again with the frame's lock held before it makes the entry: if it has
   * changed, what the driver noted then may have been taken off its list already.
   */
  public long protections(long frame) {
    AtomicLongArray counts = protections;
    return counts == null ? 0 : counts.get((int) frame & STRIPES - 1);
  }

  /** A page's entries are about to lose the right to write. Precondition: its frame is locked. */
  public void countProtection(long frame) {
    AtomicLongArray counts = protections;
    if (counts == null) {
      synchronized (this) {
        counts = protections;
        if (counts == null) {
          counts = new AtomicLongArray(STRIPES);
          protections = counts;
        }
      }
    }
    counts.incrementAndGet((int) frame & STRIPES - 1);
  }

  /**
   * Held while areas of the file come, go or move their entries ({@code i_mmap_rwsem} for writing).
   * Taken after the address space's lock and after frames' locks, before those of page tables.
   */
  public Lock placesChange() {
    return placesLock.writeLock();
  }

  /**
   * Held while all entries of a page, or of a range, are looked for: meanwhile none moves to another
   * address, and no area of the file goes.
   */
  public Lock placesWalk() {
    return placesLock.readLock();
  }
}
