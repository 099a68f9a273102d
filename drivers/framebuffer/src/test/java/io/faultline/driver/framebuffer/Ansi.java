// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a terminal with 24-bit colours makes of half blocks: two lines of pixels for each of text. */
final class Ansi {
  /** The terminal's own background. */
  static final int DEFAULT = -1;

  private static final Pattern TOKEN =
      Pattern.compile("\u001b\\[(38|48);2;(\\d+);(\\d+);(\\d+)m|\u001b\\[(0|49)m|(\u2580)");

  private Ansi() {}

  static int[][] pixels(List<String> lines) {
    List<int[]> rows = new ArrayList<>();
    for (String line : lines) {
      List<Integer> upper = new ArrayList<>();
      List<Integer> lower = new ArrayList<>();
      int foreground = DEFAULT;
      int background = DEFAULT;
      Matcher token = TOKEN.matcher(line);
      int at = 0;
      while (token.find()) {
        if (token.start() != at) {
          throw new AssertionError("not understood: " + line.substring(at, token.start()));
        }
        at = token.end();
        if (token.group(6) != null) {
          upper.add(foreground);
          lower.add(background);
        } else if (token.group(5) != null) {
          background = DEFAULT;
          foreground = token.group(5).equals("0") ? DEFAULT : foreground;
        } else {
          int rgb = Integer.parseInt(token.group(2)) << 16
              | Integer.parseInt(token.group(3)) << 8 | Integer.parseInt(token.group(4));
          if (token.group(1).equals("38")) {
            foreground = rgb;
          } else {
            background = rgb;
          }
        }
      }
      if (at != line.length()) {
        throw new AssertionError("not understood: " + line.substring(at));
      }
      rows.add(upper.stream().mapToInt(i -> i).toArray());
      rows.add(lower.stream().mapToInt(i -> i).toArray());
    }
    return rows.toArray(int[][]::new);
  }
}
