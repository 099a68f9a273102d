// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.Decision;
import java.util.ArrayList;
import java.util.List;

/**
 * Why the kernel here did what it did at a line of a recording.
 *
 * @param line the line at which it was decided; not that of the divergence where that came to light
 *     only at a checkpoint
 * @param decisions in the order in which they fell; the last ones where there were very many
 */
public record Reasons(int line, List<Decision> decisions) {
  /** Lines that are printed. */
  private static final int SHOWN = 16;

  /** Copies the list. */
  public Reasons {
    decisions = List.copyOf(decisions);
  }

  /** For a person, a line each; {@code at} is the line of the divergence. */
  List<String> lines(int at) {
    String where = line == at ? "ours was decided by" : "ours was decided at line " + line + " by";
    if (decisions.isEmpty()) {
      return List.of(where + ": no rule in particular; every check passed and nothing was to do");
    }
    List<String> lines = new ArrayList<>();
    lines.add(where);
    int first = Math.max(0, decisions.size() - SHOWN);
    if (first > 0) {
      lines.add("  (" + first + " more before)");
    }
    for (Decision decision : decisions.subList(first, decisions.size())) {
      lines.add("  " + decision);
    }
    return lines;
  }
}
