// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** When the soak calls a heap flat. */
class HeapTest {
  private static final long START = 9 << 20;

  /** Looks at a heap that rises by so much for each bundle, and is a little more or less each time. */
  private static Heap rising(int looks, int bundles, int bytesPerBundle) {
    Random random = new Random(7);
    Heap heap = new Heap();
    for (int i = 0; i < looks; i++) {
      long uninstalled = (long) bundles * i / (looks - 1);
      heap.note(
          uninstalled, START + uninstalled * bytesPerBundle + random.nextInt(200 << 10));
    }
    return heap;
  }

  @Test
  void aHeapThatGoesUpAndDownIsFlat() {
    assertThat(rising(24, 1440, 0).faults()).isEmpty();
  }

  @Test
  void eightKibibytesForEachBundleAreSeenAndTold() {
    assertThat(rising(24, 1440, 8192).faults())
        .singleElement().asString()
        .containsPattern(
            "trend is \\+11\\.\\d\\d MiB over 1440 uninstalled bundles, 8[0-9]{3} bytes for each");
  }

  @Test
  void oneKibibyteForEachBundleIsSeenOverFiveHundredUpgrades() {
    assertThat(rising(24, 1440, 1024).faults()).hasSize(1);
  }

  @Test
  void theBoundIsTheSameHoweverManyBundlesThereAre() {
    assertThat(rising(24, 100_000, 1024).faults()).hasSize(1);
    assertThat(rising(24, 100_000, 5).faults()).isEmpty();
  }

  @Test
  void oneOddLookDoesNotDecide() {
    Heap heap = rising(12, 700, 0);
    heap.note(730, START + (30L << 20));
    assertThat(heap.faults()).isEmpty();
    assertThat(heap.rise()).isLessThan(Heap.FLAT);
  }

  @Test
  void aHeapThatShrinksIsFlat() {
    assertThat(rising(24, 1440, -4096).faults()).isEmpty();
    assertThat(rising(24, 1440, -4096).rise()).isNegative();
  }

  @Test
  void oneLookHasNoTrend() {
    Heap heap = new Heap();
    heap.note(0, START);
    assertThat(heap.rise()).isZero();
  }

  @Test
  void itIsLookedAtSomeTwoDozenTimesInALongRunAndAlwaysInAShortOne() {
    assertThat(IntStream.rangeClosed(1, 1000).filter(i -> Heap.isDue(i, 1000)).count())
        .isBetween(20L, 30L);
    assertThat(IntStream.rangeClosed(1, 5).allMatch(i -> Heap.isDue(i, 5))).isTrue();
  }
}
