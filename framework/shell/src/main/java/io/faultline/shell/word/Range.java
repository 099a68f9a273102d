// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

/**
 * A range of addresses. Prints as {@code 0x1000-0x3000}.
 *
 * @param start first byte
 * @param length in bytes
 */
public record Range(long start, long length) {
  /** Whether the word is written as a range, {@code START-END}, as in {@code /proc/PID/maps}. */
  public static boolean looksLike(String word) {
    return word.indexOf('-') > 0;
  }

  /**
   * Reads {@code START-END}.
   *
   * @throws WordException when it is none, or ends before it starts
   */
  public static Range parse(String word) throws WordException {
    int dash = word.indexOf('-');
    if (dash <= 0) {
      throw new WordException("is not a range: write 0x10000-0x12000");
    }
    long start = Address.parse(word.substring(0, dash)).value();
    long end = Address.parse(word.substring(dash + 1)).value();
    if (Long.compareUnsigned(end, start) < 0) {
      throw new WordException("ends before it starts");
    }
    return new Range(start, end - start);
  }

  @Override
  public String toString() {
    return new Address(start) + "-" + new Address(start + length);
  }
}
