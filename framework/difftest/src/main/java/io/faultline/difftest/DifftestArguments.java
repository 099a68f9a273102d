// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;

/**
 * The words behind {@code difftest}.
 *
 * @param nanos how long; the history that runs when the time is up is cut short
 * @param seed of the first history
 * @param level of all histories, 0 for all levels in turn
 * @param most divergences after which the run ends
 * @param output where minimal recordings go
 */
public record DifftestArguments(long nanos, long seed, int level, int most, Path output) {
  private static final long MINUTE = 60_000_000_000L;
  private static final long DAY = 24 * 60;
  private static final int MOST = 5;

  /**
   * Takes the words apart.
   *
   * @param here relative paths begin here
   * @throws DifftestException when they make no sense: one line with what is wrong and an example
   */
  public static DifftestArguments parse(Path here, List<String> words) throws DifftestException {
    long nanos = MINUTE;
    long seed = 1;
    int level = 0;
    int most = MOST;
    Path output = here.resolve("difftest");
    Iterator<String> rest = words.iterator();
    while (rest.hasNext()) {
      String word = rest.next();
      switch (word) {
        case "--minutes" -> nanos = number(word, rest, 1, DAY) * MINUTE;
        case "--seconds" -> nanos = number(word, rest, 1, DAY * 60) * (MINUTE / 60);
        case "--seed" -> seed = number(word, rest, 0, Long.MAX_VALUE / 2);
        case "--level" -> level = (int) number(word, rest, 1, Generator.LEVELS);
        case "--most" -> most = (int) number(word, rest, 1, 1000);
        case "--output" -> output = here.resolve(value(word, rest));
        default -> throw wrong("there is no option " + word);
      }
    }
    return new DifftestArguments(nanos, seed, level, most, output);
  }

  private static String value(String option, Iterator<String> rest) throws DifftestException {
    if (!rest.hasNext()) {
      throw wrong(option + " needs a value");
    }
    return rest.next();
  }

  private static long number(String option, Iterator<String> rest, long least, long most)
      throws DifftestException {
    String word = value(option, rest);
    try {
      long number = Long.parseLong(word);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw wrong("%s: '%s' is not a number in %d..%d".formatted(option, word, least, most));
  }

  private static DifftestException wrong(String what) {
    return new DifftestException(
        "difftest: " + what + "; example: difftest --minutes 5 --seed 1 --level 3");
  }
}
