// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The heap in use after garbage collection, looked at along a run, and its trend: a straight line
 * through all looks (its slope the median of all slopes between two of them, after Theil and Sen), so
 * that no single look decides.
 */
final class Heap {
  /** By as much the line may rise over a whole run, however long it is; it would be called flat. */
  static final long FLAT = 1L << 20;

  private static final int LOOKS = 24;

  private record Look(long bundles, long bytes) {}

  private final List<Look> looks = new ArrayList<>();

  /** Whether to look after so many steps of so many. */
  static boolean isDue(int done, int of) {
    return done % Math.max(1, of / LOOKS) == 0 || done == of;
  }

  /**
   * Collects garbage and looks; nobody may make any meanwhile.
   *
   * @param bundles how many were uninstalled so far
   */
  void look(long bundles) throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      // Cleaners run after a collection, and what they let go of goes with the next one.
      Thread.sleep(20);
      Runtime runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    note(bundles, least);
  }

  /** A look. */
  void note(long bundles, long bytes) {
    looks.add(new Look(bundles, bytes));
  }

  /** How much the line rises from the first look to the last one, in bytes. */
  long rise() {
    double[] slopes =
        looks.stream()
            .flatMap(
                one -> looks.stream().filter(other -> other.bundles > one.bundles)
                    .map(other -> (other.bytes - one.bytes)
                        / (double) (other.bundles - one.bundles)))
            .mapToDouble(Double::doubleValue).sorted().toArray();
    if (slopes.length == 0) {
      return 0;
    }
    double median = (slopes[(slopes.length - 1) / 2] + slopes[slopes.length / 2]) / 2;
    return Math.round(median * bundles());
  }

  /** What is wrong; nothing, if it is flat. */
  List<String> faults() {
    if (rise() <= FLAT) {
      return List.of();
    }
    return List.of(
        String.format(
            Locale.ROOT,
            "the heap's trend is %s over %d uninstalled bundles, %d bytes for each; a flat one rises"
                + " by %s at most",
            mebibytes(rise()), bundles(), rise() / bundles(), mebibytes(FLAT)));
  }

  /** A line of a table. */
  String line() {
    return String.format(
        Locale.ROOT,
        "heap after GC      %.2f MiB at first, %.2f at last; %d looks, trend %s over %d bundles",
        looks.getFirst().bytes / 1048576.0, looks.getLast().bytes / 1048576.0, looks.size(),
        mebibytes(rise()), bundles());
  }

  private long bundles() {
    return looks.getLast().bundles - looks.getFirst().bundles;
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%+.2f MiB", bytes / 1048576.0);
  }
}
