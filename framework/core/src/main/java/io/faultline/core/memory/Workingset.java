// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Finds pages that come back too soon after they were taken out ({@code mm/workingset.c}). A clock
 * counts evictions; a page that leaves takes the time with it (its shadow), and when it comes back
 * the difference tells how many other pages had to leave meanwhile. Had memory been larger by that
 * many, it would have stayed: if that is no more than what memory holds, the page belongs to the
 * working set. Thread-safe.
 */
public final class Workingset {
  /** No swap entry is so large. */
  private static final long FILE_SHADOW = 1L << 60;

  private final long pages;
  private final AtomicInteger evictions = new AtomicInteger();

  /**
   * @param pages that memory can hold
   */
  public Workingset(long pages) {
    this.pages = pages;
  }

  /** A page leaves; returns its shadow. */
  public int evicted() {
    return evictions.incrementAndGet();
  }

  /** A page of a file leaves; returns the value that is to stand in its place. */
  public long evictedFromFile() {
    return FILE_SHADOW | Integer.toUnsignedLong(evicted());
  }

  /** Whether a file's page that comes back now, to where this value stands, had left only just. */
  public boolean isFileRefault(long value) {
    return value >= FILE_SHADOW && isRefault((int) value);
  }

  /** Whether a page that comes back now had left only just. */
  public boolean isRefault(int shadow) {
    return shadow != 0 && Integer.toUnsignedLong(evictions.get() - shadow) <= pages;
  }
}
