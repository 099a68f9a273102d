// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (RFC 8259) into maps, lists, strings, numbers, booleans and null.
 *
 * <p>Our own, and no library: {@code meta.json} is one small object, a bundle more would cost the
 * start of the distribution more than these lines, and a broken file has to be told by file and line
 * like every other file of a recording.
 */
final class JsonReader {
  private static final int DEEPEST = 64;

  private final Path file;
  private final String text;
  private int position;
  private int line = 1;

  private JsonReader(Path file, String text) {
    this.file = file;
    this.text = text;
  }

  /** The object that a file consists of. */
  static Map<String, @Nullable Object> readObject(Path file, String text)
      throws RecordingException {
    JsonReader reader = new JsonReader(file, text);
    reader.skipBlanks();
    if (reader.peek() != '{') {
      throw reader.expected("'{'");
    }
    Map<String, @Nullable Object> object = reader.object(0);
    reader.skipBlanks();
    if (reader.position < text.length()) {
      throw reader.expected("the end of the file");
    }
    return object;
  }

  private @Nullable Object value(int depth) throws RecordingException {
    if (depth > DEEPEST) {
      throw expected("at most " + DEEPEST + " levels of nesting");
    }
    char c = peek();
    return switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      case 't' -> literal("true", true);
      case 'f' -> literal("false", false);
      case 'n' -> literal("null", null);
      default -> number();
    };
  }

  private Map<String, @Nullable Object> object(int depth) throws RecordingException {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    position++;
    skipBlanks();
    if (peek() == '}') {
      position++;
      return object;
    }
    while (true) {
      skipBlanks();
      if (peek() != '"') {
        throw expected("a name in quotes");
      }
      String name = string();
      skipBlanks();
      take(':');
      skipBlanks();
      object.put(name, value(depth + 1));
      skipBlanks();
      if (peek() == '}') {
        position++;
        return object;
      }
      if (peek() != ',') {
        throw expected("',' or '}'");
      }
      position++;
    }
  }

  private List<@Nullable Object> array(int depth) throws RecordingException {
    List<@Nullable Object> array = new ArrayList<>();
    position++;
    skipBlanks();
    if (peek() == ']') {
      position++;
      return array;
    }
    while (true) {
      skipBlanks();
      array.add(value(depth + 1));
      skipBlanks();
      if (peek() == ']') {
        position++;
        return array;
      }
      if (peek() != ',') {
        throw expected("',' or ']'");
      }
      position++;
    }
  }

  private String string() throws RecordingException {
    position++;
    StringBuilder string = new StringBuilder();
    while (true) {
      char c = peek();
      if (c < ' ') {
        throw expected("'\"' at the end of a string");
      }
      position++;
      if (c == '"') {
        return string.toString();
      }
      string.append(c == '\\' ? escape() : c);
    }
  }

  private char escape() throws RecordingException {
    char c = peek();
    position++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        try {
          char unit = (char) Integer.parseInt(text, position, position + 4, 16);
          position += 4;
          yield unit;
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
          throw expected("four hexadecimal digits");
        }
      }
      default -> {
        position--;
        throw expected("an escape sequence");
      }
    };
  }

  private @Nullable Object literal(String name, @Nullable Object value)
      throws RecordingException {
    if (!text.startsWith(name, position)) {
      throw expected("a value");
    }
    position += name.length();
    return value;
  }

  private Number number() throws RecordingException {
    int from = position;
    while (position < text.length() && "+-.0123456789eE".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
    String digits = text.substring(from, position);
    try {
      if (digits.chars().allMatch(c -> c == '-' || Character.isDigit(c))) {
        return Long.valueOf(digits);
      }
      return Double.valueOf(digits);
    } catch (NumberFormatException e) {
      position = from;
      throw expected("a value");
    }
  }

  private void take(char c) throws RecordingException {
    if (peek() != c) {
      throw expected("'" + c + "'");
    }
    position++;
  }

  /** The next character, or NUL at the end. */
  private char peek() {
    return position < text.length() ? text.charAt(position) : '\0';
  }

  private void skipBlanks() {
    while (position < text.length()) {
      char c = text.charAt(position);
      if (c == '\n') {
        line++;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
      position++;
    }
  }

  private RecordingException expected(String what) {
    int newline = text.indexOf('\n', position);
    String found = text.substring(position, newline < 0 ? text.length() : newline);
    return RecordingException.expected(file, line, what, found);
  }
}
