// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** How many pages are read from swap at once. */
class ReadAheadTest {
  private final ReadAhead habits = new ReadAhead();

  @Test
  void withoutHitsItShrinksByHalvesToThePageThatIsWanted() {
    assertThat(habits.window(1000)).isEqualTo(4);
    assertThat(habits.window(5000)).isEqualTo(2);
    assertThat(habits.window(200)).isEqualTo(1);
    assertThat(habits.window(7000)).isEqualTo(1);
  }

  @Test
  void oneAfterTheOtherIsReadInPairsAndWithHitsInClusters() {
    for (long entry : new long[] {1000, 5000, 200}) {
      habits.window(entry);
    }
    assertThat(habits.window(201)).isEqualTo(2);
    habits.hit();
    assertThat(habits.window(203)).isEqualTo(4);
    habits.hit();
    habits.hit();
    habits.hit();
    assertThat(habits.window(207)).isEqualTo(8);
  }

  @Test
  void itIsNeverMoreThanACluster() {
    for (int i = 0; i < 100; i++) {
      habits.hit();
    }
    assertThat(habits.window(1)).isEqualTo(SwapReader.CLUSTER);
  }
}
