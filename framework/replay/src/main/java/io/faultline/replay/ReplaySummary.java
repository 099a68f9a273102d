// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;

/**
 * All replays of one run together.
 *
 * @param results of the recordings that could be read
 * @param unreadable how many could not be
 */
public record ReplaySummary(List<ReplayResult> results, int unreadable) {
  /** Copies the list. */
  public ReplaySummary {
    results = List.copyOf(results);
  }

  /** Whether every recording was read and every one is exact. */
  public boolean exact() {
    return unreadable == 0 && results.stream().allMatch(ReplayResult::exact);
  }

  /** {@code NAME calls a/b touches a/b digests a/b maps a/b vmflags a/b prefix p%}. */
  static String line(ReplayResult result) {
    return line(
        result.name(),
        result.calls(),
        result.touches(),
        result.digests(),
        result.maps(),
        result.flags(),
        new Score(result.prefix(), result.scored()));
  }

  /** The line for all. */
  String totals() {
    Score calls = Score.NONE;
    Score touches = Score.NONE;
    Score digests = Score.NONE;
    Score maps = Score.NONE;
    Score flags = Score.NONE;
    Score prefix = Score.NONE;
    long exact = 0;
    for (ReplayResult result : results) {
      calls = calls.plus(result.calls());
      touches = touches.plus(result.touches());
      digests = digests.plus(result.digests());
      maps = maps.plus(result.maps());
      flags = flags.plus(result.flags());
      prefix = prefix.plus(new Score(result.prefix(), result.scored()));
      exact += result.exact() ? 1 : 0;
    }
    String line = line("total", calls, touches, digests, maps, flags, prefix);
    String unread = unreadable == 0 ? "" : ", " + unreadable + " unreadable";
    return "%s; %d of %d recordings exact%s"
        .formatted(line, exact, results.size() + unreadable, unread);
  }

  private static String line(
      String name,
      Score calls,
      Score touches,
      Score digests,
      Score maps,
      Score flags,
      Score prefix) {
    return "%s calls %s touches %s digests %s maps %s vmflags %s prefix %s%%"
        .formatted(name, calls, touches, digests, maps, flags, percent(prefix));
  }

  /** Rounded down: only what is complete is 100. */
  private static String percent(Score score) {
    if (score.all()) {
      return "100";
    }
    return BigDecimal.valueOf(100L * score.exact())
        .divide(BigDecimal.valueOf(score.total()), 2, RoundingMode.DOWN)
        .toPlainString();
  }
}
