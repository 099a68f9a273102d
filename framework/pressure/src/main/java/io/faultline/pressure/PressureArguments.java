// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.mm.Mman;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/**
 * The words behind {@code pressure}.
 *
 * @param nanos how long the random accesses go on
 * @param swap the drivers of the swap devices, without {@code swap-}
 * @param redis the server that swap-redis uses; empty: a private one is started
 * @param memory of the machine, in bytes
 * @param ratio how many times the memory the working set is
 * @param processes how many share the work
 * @param seed of all random choices
 * @param reserved pages of the driver's VM_RESERVED area; 0: no such driver
 */
public record PressureArguments(
    long nanos, List<String> swap, String redis, long memory, int ratio, int processes, long seed,
    int reserved) {
  static final List<String> DRIVERS = List.of("file", "zram", "redis");

  private static final long SECOND = 1_000_000_000L;
  private static final long DAY = 24 * 60;
  private static final long LEAST_MEMORY = 4L << 20;
  private static final long MOST_MEMORY = 16L << 30;
  private static final int DEFAULT_RESERVED = 256;

  /**
   * Takes the words apart.
   *
   * @throws PressureException when they make no sense: one line with what is wrong and an example
   */
  public static PressureArguments parse(List<String> words) throws PressureException {
    long nanos = 60 * SECOND;
    List<String> swap = List.of("file");
    String redis = "";
    long memory = 64L << 20;
    long ratio = 3;
    long processes = 4;
    long seed = 1;
    long reserved = DEFAULT_RESERVED;
    Iterator<String> rest = words.iterator();
    while (rest.hasNext()) {
      String word = rest.next();
      switch (word) {
        case "--minutes" -> nanos = number(word, rest, 1, DAY) * 60 * SECOND;
        case "--seconds" -> nanos = number(word, rest, 1, DAY * 60) * SECOND;
        case "--swap" -> swap = drivers(value(word, rest));
        case "--redis" -> redis = value(word, rest);
        case "--memory" -> memory = bytes(word, value(word, rest));
        case "--ratio" -> ratio = number(word, rest, 1, 64);
        case "--processes" -> processes = number(word, rest, 1, 64);
        case "--seed" -> seed = number(word, rest, 0, Long.MAX_VALUE);
        case "--reserved" -> reserved = number(word, rest, 0, 1 << 20);
        default -> throw wrong("there is no option " + word);
      }
    }
    if (reserved * Mman.PAGE_SIZE > memory / 4) {
      throw wrong("--reserved: " + reserved + " pages are more than a quarter of the memory");
    }
    return new PressureArguments(
        nanos, swap, redis, memory, (int) ratio, (int) processes, seed, (int) reserved);
  }

  private static List<String> drivers(String word) throws PressureException {
    List<String> names = List.of(word.split(","));
    for (String name : names) {
      if (!DRIVERS.contains(name)) {
        throw wrong(
            "--swap: '%s' is none of %s".formatted(name, String.join(", ", DRIVERS)));
      }
    }
    return names;
  }

  private static String value(String option, Iterator<String> rest) throws PressureException {
    if (!rest.hasNext()) {
      throw wrong(option + " needs a value");
    }
    return rest.next();
  }

  private static long number(String option, Iterator<String> rest, long least, long most)
      throws PressureException {
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

  /** A number of bytes, with K, M or G behind it or nothing. */
  private static long bytes(String option, String word) throws PressureException {
    String digits = word.toUpperCase(Locale.ROOT);
    int unit = "KMG".indexOf(digits.charAt(Math.max(0, digits.length() - 1)));
    try {
      long number = Long.parseLong(unit < 0 ? digits : digits.substring(0, digits.length() - 1));
      long bytes = Math.multiplyExact(number, 1L << 10 * (unit + 1));
      if (bytes >= LEAST_MEMORY && bytes <= MOST_MEMORY && bytes % Mman.PAGE_SIZE == 0) {
        return bytes;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Told below.
    }
    throw wrong("%s: '%s' is not a size in 4M..16G of whole pages".formatted(option, word));
  }

  private static PressureException wrong(String what) {
    return new PressureException(
        "pressure: " + what + "; example: pressure --minutes 1 --swap zram --memory 64M --seed 1");
  }

  /** How many pages the processes have together. */
  long workingSet() {
    return memory / Mman.PAGE_SIZE * ratio;
  }
}
