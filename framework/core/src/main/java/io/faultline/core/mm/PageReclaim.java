// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

/** What memory calls need of reclaim above them. */
public interface PageReclaim {
  /**
   * Takes pages out of memory whether they were used or not ({@code reclaim_pages}), as far as that is
   * possible now. The space's lock may be held.
   *
   * @param frames with a reference each, which is dropped
   * @param count how many of them count
   * @return how many frames were freed
   */
  int pageOut(long[] frames, int count);
}
