// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.util.Comparator;
import java.util.List;

/** The scores of many recordings as a Markdown table, for the documentation. Stateless. */
final class ScoreTable {
  private ScoreTable() {}

  static String of(List<ReplayResult> results) {
    StringBuilder text = new StringBuilder();
    text.append("| Recording | calls | touches | digests | maps | VmFlags | exact |\n");
    text.append("|---|---:|---:|---:|---:|---:|---|\n");
    Score[] totals = {Score.NONE, Score.NONE, Score.NONE, Score.NONE, Score.NONE};
    int exact = 0;
    for (ReplayResult result : results.stream().sorted(Comparator.comparing(ReplayResult::name))
        .toList()) {
      Score[] scores = {
        result.calls(), result.touches(), result.digests(), result.maps(), result.flags()
      };
      row(text, result.name(), scores, result.exact() ? "yes" : "**no**");
      for (int i = 0; i < totals.length; i++) {
        totals[i] = totals[i].plus(scores[i]);
      }
      exact += result.exact() ? 1 : 0;
    }
    row(text, "**all**", totals, exact + " of " + results.size());
    return text.toString();
  }

  private static void row(StringBuilder text, String name, Score[] scores, String exact) {
    text.append("| ").append(name);
    for (Score score : scores) {
      text.append(" | ").append(score);
    }
    text.append(" | ").append(exact).append(" |\n");
  }
}
