// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.util.BitSet;

/** Pages that were written since they were last sent ({@code fbdefio->pagereflist}). Thread-safe. */
final class DirtyPages {
  // Guarded by this object's monitor.
  private final BitSet pages = new BitSet();

  /**
   * Notes pages of a range.
   *
   * @param end the first page behind it
   * @return whether there was none before: somebody should come and take them
   */
  synchronized boolean add(int first, int end) {
    boolean wasEmpty = pages.isEmpty();
    pages.set(first, end);
    return wasEmpty && end > first;
  }

  /** All of them in ascending order; they stay. */
  synchronized int[] list() {
    return pages.stream().toArray();
  }

  /** All of them in ascending order, off the list. */
  synchronized int[] take() {
    int[] taken = list();
    pages.clear();
    return taken;
  }
}
