// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Who looks out in vain looks out more and more rarely, until it pays again. */
class WatchfulnessTest {
  private final Watchfulness watch = new Watchfulness();

  private int timesUntilWorthIt() {
    int times = 0;
    while (!watch.isWorthIt()) {
      times++;
    }
    return times;
  }

  @Test
  void atFirstItIsWorthIt() {
    assertThat(watch.isWorthIt()).isTrue();
  }

  @Test
  void eachTimeInVainItIsLeftForTwiceAsLong() {
    watch.ended(false);
    assertThat(timesUntilWorthIt()).isEqualTo(1);
    watch.ended(false);
    assertThat(timesUntilWorthIt()).isEqualTo(3);
    watch.ended(false);
    assertThat(timesUntilWorthIt()).isEqualTo(7);
  }

  @Test
  void itIsNeverGivenUp() {
    for (int i = 0; i < 50; i++) {
      watch.ended(false);
    }
    assertThat(timesUntilWorthIt()).isEqualTo(255);
  }

  @Test
  void onceItHasPaidItIsWorthItAlways() {
    watch.ended(false);
    watch.ended(false);
    watch.ended(true);
    assertThat(watch.isWorthIt()).isTrue();
    assertThat(watch.isWorthIt()).isTrue();
  }
}
