// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.replay.ProgressLine;
import java.util.Arrays;

/** How far a run is. Confined to one thread. */
final class Progress {
  private static final long EVERY = 500_000_000L;

  private final ProgressLine line;
  private long last;

  Progress(ProgressLine line) {
    this.line = line;
  }

  /**
   * Says it every now and then.
   *
   * @param operations compared, by kind
   * @param nanos since the run began
   * @param all how long it is to take, in nanoseconds
   */
  void show(long[] operations, int divergences, long nanos, long all) {
    if (nanos - last > EVERY) {
      last = nanos;
      long sum = Arrays.stream(operations).sum();
      line.show("%,d operations compared, %,d a second, %d divergences, %d of %d s".formatted(
          sum, sum * 1_000_000_000L / nanos, divergences, nanos / 1_000_000_000L,
          all / 1_000_000_000L));
    }
  }

  void erase() {
    line.erase();
  }
}
