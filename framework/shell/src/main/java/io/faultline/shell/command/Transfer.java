// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.shell.Arguments;
import io.faultline.shell.CommandException;
import io.faultline.shell.word.Bytes;
import io.faultline.shell.word.DataFormat;
import io.faultline.shell.word.Size;
import io.faultline.shell.word.WordException;
import java.nio.charset.StandardCharsets;

/**
 * What {@code read} asks for, and the data that {@code write} and {@code poke} give.
 *
 * @param length in bytes
 * @param format HEX or TEXT
 * @param offset in bytes, or -1 for the file's position
 */
record Transfer(int length, DataFormat format, long offset) {
  private static final int DEFAULT_LENGTH = 64;

  /** More on one screen helps nobody, and the buffer is on the heap. */
  private static final int MOST = 1 << 20;

  /** Reads {@code [LENGTH] [hex|text] [at OFFSET]}. */
  static Transfer read(Arguments arguments) throws CommandException {
    int length = DEFAULT_LENGTH;
    String word = arguments.peek();
    if (word != null && !word.equals("at") && DataFormat.find(word) == null) {
      length = count(arguments);
    }
    DataFormat format = DataFormat.HEX;
    if (arguments.take("text")) {
      format = DataFormat.TEXT;
    } else {
      arguments.take("hex");
    }
    long offset = arguments.take("at") ? arguments.size("OFFSET") : -1;
    return new Transfer(length, format, offset);
  }

  /** How many bytes, values or faults: 1 to 1 Mi. */
  static int count(Arguments arguments) throws CommandException {
    return arguments.next(
        "COUNT",
        word -> {
          long count = Size.parse(word);
          if (count < 1 || count > MOST) {
            throw new WordException("is not between 1 and 1M");
          }
          return (int) count;
        });
  }

  /** Reads {@code [text|string|hex] DATA...}. */
  static byte[] data(Arguments arguments) throws CommandException {
    if (arguments.take("hex")) {
      String digits = arguments.rest("DATA");
      try {
        return Bytes.ofHex(digits);
      } catch (WordException e) {
        throw arguments.wrong("DATA", digits, e.reason());
      }
    }
    boolean string = arguments.take("string");
    if (!string) {
      arguments.take("text");
    }
    String text = arguments.rest("DATA");
    try {
      return Bytes.ofText(string ? text + "\\0" : text);
    } catch (WordException e) {
      throw arguments.wrong("DATA", text, e.reason());
    }
  }

  /** Bytes as text; what is not printable shows as a dot, but for line breaks and tabs. */
  static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .map(c -> Character.isISOControl(c) && c != '\n' && c != '\t' ? '.' : c)
        .forEach(shown::appendCodePoint);
    return shown.toString();
  }
}
