// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The words behind {@code replay}.
 *
 * @param recordings directories
 * @param results where results go, or null
 * @param options which lines, and when to stop
 * @param jobs how many replays at once
 * @param json one JSON object a line
 * @param table where a Markdown table of the scores goes, or null
 */
record ReplayArguments(
    List<Path> recordings, @Nullable Path results, ReplayOptions options, int jobs, boolean json,
    @Nullable Path table) {
  private static final int MOST_JOBS = 64;

  /**
   * Takes the words apart.
   *
   * @param here relative paths begin here
   * @throws CommandException when they make no sense: one line with what is wrong and an example
   */
  static ReplayArguments parse(Path here, List<String> words) throws CommandException {
    List<Path> recordings = new ArrayList<>();
    Path results = null;
    Path table = null;
    int from = 1;
    int to = Integer.MAX_VALUE;
    int jobs = Runtime.getRuntime().availableProcessors();
    boolean stop = false;
    boolean json = false;
    boolean keep = false;
    Iterator<String> rest = words.iterator();
    while (rest.hasNext()) {
      String word = rest.next();
      switch (word) {
        case "--results" -> results = here.resolve(value(word, rest));
        case "--table" -> table = here.resolve(value(word, rest));
        case "--from" -> from = number(word, rest, Integer.MAX_VALUE);
        case "--to" -> to = number(word, rest, Integer.MAX_VALUE);
        case "--jobs" -> jobs = number(word, rest, MOST_JOBS);
        case "--stop-at-first" -> stop = true;
        case "--json" -> json = true;
        case "--keep" -> keep = true;
        default -> {
          if (word.startsWith("-")) {
            throw wrong("there is no option " + word);
          }
          recordings.add(here.resolve(word));
        }
      }
    }
    if (recordings.isEmpty()) {
      throw wrong("no recording given");
    }
    if (to < from) {
      throw wrong("--to " + to + " is before --from " + from);
    }
    return new ReplayArguments(
        recordings, results, new ReplayOptions(from, to, stop, keep), jobs, json, table);
  }

  private static String value(String option, Iterator<String> rest) throws CommandException {
    if (!rest.hasNext()) {
      throw wrong(option + " needs a value");
    }
    return rest.next();
  }

  private static int number(String option, Iterator<String> rest, int most)
      throws CommandException {
    String word = value(option, rest);
    try {
      int number = Integer.parseInt(word);
      if (number >= 1 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw wrong("%s: '%s' is not a number in 1..%d".formatted(option, word, most));
  }

  private static CommandException wrong(String what) {
    return new CommandException(
        "replay: " + what + "; example: replay --stop-at-first recordings/corpus/ls");
  }
}
