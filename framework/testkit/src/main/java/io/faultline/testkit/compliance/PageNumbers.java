// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.Vma;

/**
 * How the kit numbers a device's pages.
 *
 * @param byMap whether an area's offset selects a map, of which the area shows the beginning; else it is
 *     the first page
 */
record PageNumbers(boolean byMap) {
  /** More pages than the kit maps of one map. */
  private static final int OF_A_MAP = 50;

  /** The number of a page of an area. */
  int of(int offset, int index) {
    return (byMap ? offset * OF_A_MAP : offset) + index;
  }

  /** Whether a page of an area shows what it showed when it was mapped. */
  boolean stands(Actor.Cell cell, Vma area, long address) {
    if (!byMap || !cell.isOfDevice()) {
      return true;
    }
    long index = Places.page(address) - Places.page(area.start());
    return area.pageOffset() * OF_A_MAP + index == cell.page;
  }
}
