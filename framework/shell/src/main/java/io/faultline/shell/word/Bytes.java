// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;

/** Bytes written as text or in hex. */
public final class Bytes {
  /**
   * Text in UTF-8 with C's escapes: {@code \n \t \r \0 \\ \xHH}.
   *
   * @throws WordException on an unknown escape
   */
  public static byte[] ofText(String text) throws WordException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int at = 0;
    while (at < text.length()) {
      int point = text.codePointAt(at);
      at += Character.charCount(point);
      if (point != '\\') {
        bytes.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      if (at == text.length()) {
        throw new WordException("ends in a backslash: write \\\\ for one");
      }
      char escape = text.charAt(at++);
      switch (escape) {
        case 'n' -> bytes.write('\n');
        case 't' -> bytes.write('\t');
        case 'r' -> bytes.write('\r');
        case '0' -> bytes.write(0);
        case '\\' -> bytes.write('\\');
        case 'x' -> {
          if (at + 2 > text.length() || !HexFormat.isHexDigit(text.charAt(at))
              || !HexFormat.isHexDigit(text.charAt(at + 1))) {
            throw new WordException("has \\x without two hex digits behind it");
          }
          bytes.write(HexFormat.fromHexDigits(text, at, at + 2));
          at += 2;
        }
        default ->
            throw new WordException(
                "has the unknown escape \\" + escape + ": there are \\n \\t \\r \\0 \\\\ \\xHH");
      }
    }
    return bytes.toByteArray();
  }

  /**
   * Hex digits, two a byte, with blanks or {@code 0x} where one likes: {@code de ad be ef}.
   *
   * @throws WordException when they are not
   */
  public static byte[] ofHex(String text) throws WordException {
    String digits = text.replaceAll("\\s|_|0[xX]", "").toLowerCase(Locale.ROOT);
    if (digits.isEmpty() || digits.length() % 2 != 0) {
      throw new WordException("is not a row of bytes: write two hex digits for each, de ad be ef");
    }
    try {
      return HexFormat.of().parseHex(digits);
    } catch (IllegalArgumentException notHex) {
      throw new WordException("is not in hex: write de ad be ef");
    }
  }

  private Bytes() {}
}
