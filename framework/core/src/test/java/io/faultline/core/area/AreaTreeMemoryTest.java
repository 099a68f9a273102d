// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** What an area costs on the heap, its share of the tree included. */
class AreaTreeMemoryTest {
  private static final long PAGE = 4096;
  private static final int AREAS = 100_000;
  private static final long LIMIT = 192;

  @Test
  void areasMappedDownwardsTakeAtMost192BytesEach() {
    assertThat(bytesPerArea(i -> AREAS - i)).isBetween(32L, LIMIT);
  }

  @Test
  void areasInRandomOrderTakeAtMost192BytesEach() {
    int[] order = new Random(7).ints(0, Integer.MAX_VALUE).distinct().limit(AREAS).toArray();
    assertThat(bytesPerArea(i -> order[i])).isBetween(32L, LIMIT);
  }

  private static long bytesPerArea(IntUnaryOperator page) {
    AreaTree tree = new AreaTree();
    long before = usedAfterCollection();
    for (int i = 0; i < AREAS; i++) {
      long start = 2 * PAGE * page.applyAsInt(i);
      tree.insert(new Area(1, start, start + PAGE, 0, 0, null));
    }
    long used = usedAfterCollection() - before;
    tree.validate();
    return used / AREAS;
  }

  private static long usedAfterCollection() {
    Runtime runtime = Runtime.getRuntime();
    long used = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
    }
    return used;
  }
}
