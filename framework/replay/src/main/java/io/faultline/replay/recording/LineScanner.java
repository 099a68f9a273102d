// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads a text file line by line and each line from left to right. What does not fit becomes a
 * {@link RecordingException} with file and line. Not thread-safe.
 */
final class LineScanner {
  private final Path file;
  private final String text;
  private int line;
  private int lineStart;
  private int position;
  private int end = -1;

  LineScanner(Path file, String text) {
    this.file = file;
    this.text = text;
  }

  /** Opens a file that must be there. */
  static LineScanner open(Path file) throws IOException {
    return new LineScanner(file, text(file));
  }

  /** The whole text of a file that must be there, one character a byte. */
  static String text(Path file) throws IOException {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw RecordingException.of(file, "no such file: a recording needs it");
    }
  }

  /** Goes to the next line; false when there is none. */
  boolean next() {
    if (end + 1 >= text.length()) {
      return false;
    }
    lineStart = end + 1;
    position = lineStart;
    int newline = text.indexOf('\n', position);
    end = newline < 0 ? text.length() : newline;
    line++;
    return true;
  }

  /** The number of the current line, from 1. */
  int line() {
    return line;
  }

  /** The whole current line. */
  String lineText() {
    return text.substring(lineStart, end);
  }

  /** Whether nothing is left of the line. */
  boolean atEnd() {
    return position >= end;
  }

  /** The next character, or NUL at the end of the line. */
  char peek() {
    return position < end ? text.charAt(position) : '\0';
  }

  /** The character that stands so far ahead, or NUL behind the end of the line. */
  char peek(int ahead) {
    return position + ahead < end ? text.charAt(position + ahead) : '\0';
  }

  /** The file that is read. */
  Path file() {
    return file;
  }

  /** What is left of the line; the scanner stands at its end then. */
  String rest() {
    String rest = text.substring(position, end);
    position = end;
    return rest;
  }

  /** Skips the text if it stands here. */
  boolean skip(String expected) {
    if (position + expected.length() <= end && text.startsWith(expected, position)) {
      position += expected.length();
      return true;
    }
    return false;
  }

  /** Skips the text, which must stand here. */
  void take(String expected) throws RecordingException {
    if (!skip(expected)) {
      throw expected("'" + expected + "'");
    }
  }

  /** Skips blanks. */
  void skipBlanks() {
    while (position < end && text.charAt(position) == ' ') {
      position++;
    }
  }

  /** Letters, digits and underscores up to the next other character. */
  String name(String what) throws RecordingException {
    int from = position;
    while (position < end && isNameCharacter(text.charAt(position))) {
      position++;
    }
    if (from == position) {
      throw expected(what);
    }
    return text.substring(from, position);
  }

  private static boolean isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  /** Characters up to the next blank or the end. */
  String word(String what) throws RecordingException {
    int from = position;
    while (position < end && text.charAt(position) != ' ') {
      position++;
    }
    if (from == position) {
      throw expected(what);
    }
    return text.substring(from, position);
  }

  /** {@code NULL}, {@code 0x…} or a decimal number, perhaps negative; 64 bits, unsigned. */
  long number(String what) throws RecordingException {
    if (skip("NULL")) {
      return 0;
    }
    if (skip("0x")) {
      return digits(what, 16);
    }
    if (skip("-")) {
      return -digits(what, 10);
    }
    return digits(what, 10);
  }

  /** A number without any prefix, as unsigned 64 bits. */
  long digits(String what, int radix) throws RecordingException {
    int from = position;
    while (position < end && Character.digit(text.charAt(position), radix) >= 0) {
      position++;
    }
    try {
      return Long.parseUnsignedLong(text, from, position, radix);
    } catch (NumberFormatException e) {
      position = from;
      throw expected(what);
    }
  }

  /** A number that fits an {@code int}. */
  int smallNumber(String what) throws RecordingException {
    int from = position;
    long number = number(what);
    if (number != (int) number) {
      position = from;
      throw expected(what + " of 32 bits");
    }
    return (int) number;
  }

  /** {@code ", "} between two arguments. */
  void comma() throws RecordingException {
    take(", ");
  }

  /** Goes forward to just behind the last occurrence of a text in the line. */
  void skipPastLast(String marker, String what) throws RecordingException {
    int at = text.lastIndexOf(marker, end - marker.length());
    if (at < position) {
      throw expected(what);
    }
    position = at + marker.length();
  }

  /** Goes forward to just behind the last occurrence of a text before another, later one. */
  void skipPastLastBefore(String marker, String limit, String what) throws RecordingException {
    int stop = text.lastIndexOf(limit, end - limit.length());
    int at = stop < 0 ? -1 : text.lastIndexOf(marker, stop - marker.length());
    if (at < position) {
      throw expected(what);
    }
    position = at + marker.length();
  }

  /** The refusal of what stands here. */
  RecordingException expected(String what) {
    return RecordingException.expected(file, line, what, text.substring(position, end));
  }

  /** The refusal of the whole current line. */
  RecordingException wrongLine(String what) {
    return RecordingException.expected(file, line, what, lineText());
  }
}
