// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

/** Puts a text of {@code /proc} together, number by number. For one thread. */
final class TextBuilder {
  private final StringBuilder text;

  TextBuilder(int expected) {
    text = new StringBuilder(expected);
  }

  StringBuilder builder() {
    return text;
  }

  TextBuilder add(String words) {
    text.append(words);
    return this;
  }

  /** A number with blanks in front, so that it takes at least {@code width} places. */
  TextBuilder number(long value, int width) {
    String digits = Long.toUnsignedString(value);
    text.repeat(' ', Math.max(0, width - digits.length())).append(digits);
    return this;
  }

  /** Words with blanks behind, so that they take at least {@code width} places. */
  TextBuilder padded(String words, int width) {
    text.append(words).repeat(' ', Math.max(0, width - words.length()));
    return this;
  }

  /** A line with a number of KiB that takes at least 8 places. */
  TextBuilder kib(String label, long kib) {
    return add(label).number(kib, 8).add(" kB\n");
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
