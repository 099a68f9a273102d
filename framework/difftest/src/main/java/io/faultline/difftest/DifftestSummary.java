// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import java.util.Arrays;
import java.util.List;

/**
 * What a run came to.
 *
 * @param operations compared, by level; index 0 is not used
 * @param divergences one text each
 * @param nanos how long it took
 */
public record DifftestSummary(long[] operations, List<String> divergences, long nanos) {
  /** Copies. */
  public DifftestSummary {
    operations = operations.clone();
    divergences = List.copyOf(divergences);
  }

  @Override
  public long[] operations() {
    return operations.clone();
  }

  /** Operations of all levels. */
  public long compared() {
    return Arrays.stream(operations).sum();
  }

  /** A line a level, and one for all. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int level = 1; level < operations.length; level++) {
      if (operations[level] > 0) {
        text.append("level %d: %,12d operations compared%n".formatted(level, operations[level]));
      }
    }
    return text.append("all:     %,12d operations compared in %.0f s (%,d a second), %d divergences"
        .formatted(compared(), nanos / 1e9, compared() * 1_000_000_000L / Math.max(1, nanos),
            divergences.size()))
        .toString();
  }
}
