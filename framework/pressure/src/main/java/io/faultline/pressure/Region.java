// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Some pages and what should stand in them, as one process, or several that share them, see them. The
 * versions are guarded by {@link #lock}.
 */
final class Region {
  private static final int LOCKS = 256;

  private final String name;
  private final int number;
  private final long base;
  private final int[] versions;
  private final int firstWritten;
  private final int endWritten;
  private final ReentrantLock[] locks;

  /**
   * @param number tells its contents from those of others
   * @param base its first address
   * @param versions of its pages
   * @param firstWritten the first page that may be written
   * @param endWritten the first behind those
   */
  private Region(
      String name, int number, long base, int[] versions, int firstWritten, int endWritten) {
    this.name = name;
    this.number = number;
    this.base = base;
    this.versions = versions;
    this.firstWritten = firstWritten;
    this.endWritten = endWritten;
    this.locks = new ReentrantLock[LOCKS];
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /** Pages that hold version 0 when they are filled. */
  Region(String name, int number, long base, int pages) {
    this(name, number, base, new int[pages], 0, pages);
  }

  /** What a forked process sees, of which it writes some pages only. */
  Region copy(int from, int end) {
    return new Region(name, number, base, versions.clone(), from, end);
  }

  String name() {
    return name;
  }

  int pages() {
    return versions.length;
  }

  long address(int page) {
    return base + ((long) page << 12);
  }

  long key(long seed, int page) {
    return Content.key(seed, number, page, versions[page]);
  }

  void written(int page) {
    versions[page]++;
  }

  long nextKey(long seed, int page) {
    return Content.key(seed, number, page, versions[page] + 1);
  }

  boolean mayWrite(int page) {
    return page >= firstWritten && page < endWritten;
  }

  /** Held while one page is accessed and its version is looked at. */
  ReentrantLock lock(int page) {
    return locks[page % LOCKS];
  }
}
