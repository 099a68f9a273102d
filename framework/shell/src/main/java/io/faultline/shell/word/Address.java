// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

/**
 * An address in a process. Prints as {@code 0x7ffff7ff4000}, which every command reads back.
 *
 * @param value in bytes, unsigned
 */
public record Address(long value) {
  /**
   * Reads an address: hexadecimal digits as in {@code /proc/PID/maps}, with or without {@code 0x},
   * and {@code +SIZE} behind them where one likes.
   *
   * @throws WordException when it is none
   */
  public static Address parse(String word) throws WordException {
    int plus = word.indexOf('+');
    if (plus > 0) {
      return new Address(hex(word.substring(0, plus)) + Size.parse(word.substring(plus + 1)));
    }
    return new Address(hex(word));
  }

  private static long hex(String word) throws WordException {
    String digits = word.startsWith("0x") || word.startsWith("0X") ? word.substring(2) : word;
    try {
      if (!digits.startsWith("+") && !digits.startsWith("-")) {
        return Long.parseUnsignedLong(digits, 16);
      }
    } catch (NumberFormatException notHex) {
      // said below
    }
    throw new WordException("is not an address: write it in hex, 0x7ffff7ff4000 or 0x10000+2p");
  }

  /** The digits alone, as in {@code /proc/PID/maps}. */
  public String digits() {
    return Long.toHexString(value);
  }

  @Override
  public String toString() {
    return "0x" + digits();
  }
}
