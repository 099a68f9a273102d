// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.util.Arrays;

/** Compares two flags texts: the order of the flags of a mapping has no meaning. */
public final class FlagsText {
  private FlagsText() {}

  /** Whether two texts name the same flags for the same mappings. */
  public static boolean same(String expected, String got) {
    if (expected.equals(got)) {
      return true;
    }
    String[] left = expected.split("\n");
    String[] right = got.split("\n");
    if (left.length != right.length) {
      return false;
    }
    for (int i = 0; i < left.length; i++) {
      if (!Arrays.equals(words(left[i]), words(right[i]))) {
        return false;
      }
    }
    return true;
  }

  private static String[] words(String line) {
    String[] words = line.strip().split(" +");
    // The range stands first and stays there.
    Arrays.sort(words, 1, words.length);
    return words;
  }
}
