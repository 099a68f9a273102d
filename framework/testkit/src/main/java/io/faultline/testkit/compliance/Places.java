// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.Mman;

/** Where the kit maps, and how its messages name places: in pages, counted from there. */
final class Places {
  /** Where {@link Step.Fill} and {@link Step.Cycle} map. */
  static final int SCRATCH = 1000;
  /** Where {@link Step.MapOddly} maps. */
  static final int ODD = 2000;
  /** Where {@link Step.Scatter} maps. */
  static final int SCATTERED = 3000;

  private static final long BASE = 0x2000_0000_0000L;

  private Places() {}

  static long address(int at) {
    return BASE + bytes(at);
  }

  static long bytes(long pages) {
    return pages * Mman.PAGE_SIZE;
  }

  static long page(long address) {
    return (address - BASE) / Mman.PAGE_SIZE;
  }

  static String pages(long start, long end) {
    return page(start) + "-" + page(end);
  }
}
