// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import java.util.Collection;

/** Finds what someone may have meant. */
public final class Nearest {
  private static final int TOO_FAR = 3;

  /**
   * The candidate that differs from a word in the fewest letters, and in two at most.
   *
   * @return one of the candidates, or nothing
   */
  public static String to(String word, Collection<String> candidates) {
    String nearest = "";
    int least = Math.min(TOO_FAR, Math.max(word.length(), 2));
    for (String candidate : candidates) {
      int distance = distance(word, candidate);
      if (distance < least) {
        least = distance;
        nearest = candidate;
      }
    }
    return nearest;
  }

  /** How many letters must be changed, put in or left out (Levenshtein). */
  private static int distance(String left, String right) {
    int[] row = new int[right.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= left.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int above = row[j];
        int changed = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(changed, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[right.length()];
  }

  private Nearest() {}
}
