// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints maps, lists, strings, numbers and truths as JSON. */
final class Json {
  private Json() {}

  /** An object with a member a line. */
  static String document(Map<String, ?> members) {
    return members.entrySet().stream()
        .map(member -> "  " + string(member.getKey()) + ": " + value(member.getValue()))
        .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
  }

  private static String value(Object value) {
    return switch (value) {
      case String text -> string(text);
      case Boolean truth -> truth.toString();
      case Number number -> number.toString();
      case List<?> list ->
          list.stream().map(Json::value).collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map -> map.entrySet().stream()
          .map(entry -> string(entry.getKey().toString()) + ": " + value(entry.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
      default -> throw new IllegalArgumentException("value: " + value.getClass());
    };
  }

  private static String string(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ' || c >= 0x7f) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
