// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import io.faultline.mm.Mman;
import java.util.Locale;

/** Sizes in bytes, as people write and read them. */
public final class Size {
  private static final String SUFFIXES = "pkmg";

  /**
   * Reads a size: {@code 4096}, {@code 0x1000}, {@code 16k}, {@code 2M}, {@code 1G} or {@code 4p}
   * (pages). Numbers above 2<sup>63</sup> are unsigned, as in a system call.
   *
   * @return bytes
   * @throws WordException when it is none, or more than 64 bits
   */
  public static long parse(String word) throws WordException {
    String text = word.toLowerCase(Locale.ROOT);
    boolean hexadecimal = text.startsWith("0x");
    int suffix =
        text.isEmpty() || hexadecimal ? -1 : SUFFIXES.indexOf(text.charAt(text.length() - 1));
    String digits = suffix >= 0 ? text.substring(0, text.length() - 1) : text;
    if (hexadecimal) {
      digits = text.substring(2);
    }
    if (digits.isEmpty() || Character.digit(digits.charAt(0), 16) < 0) {
      throw notASize();
    }
    try {
      long number = Long.parseUnsignedLong(digits, hexadecimal ? 16 : 10);
      long unit = suffix < 0 ? 1 : suffix == 0 ? Mman.PAGE_SIZE : 1L << (10 * suffix);
      if (unit > 1 && Long.compareUnsigned(number, Long.divideUnsigned(-1L, unit)) > 0) {
        throw new WordException("is more than 64 bits hold");
      }
      return number * unit;
    } catch (NumberFormatException notANumber) {
      throw notASize();
    }
  }

  /** The shortest exact form: {@code 132k}, {@code 2M}, {@code 100}. */
  public static String format(long bytes) {
    if (bytes > 0 && bytes % (1L << 30) == 0) {
      return (bytes >> 30) + "G";
    }
    if (bytes > 0 && bytes % (1L << 20) == 0) {
      return (bytes >> 20) + "M";
    }
    if (bytes > 0 && bytes % (1L << 10) == 0) {
      return (bytes >> 10) + "k";
    }
    return Long.toUnsignedString(bytes);
  }

  private static WordException notASize() {
    return new WordException("is not a size: write 4096, 16k, 2M or 4p (pages)");
  }

  private Size() {}
}
