// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What this JVM was started with and hands on: arguments and variables as the bytes that they are, one
 * character each (what Java shows of them went through the locale's encoding), and its personality.
 */
final class OwnBytes {
  private OwnBytes() {}

  /** The last words of the command line. */
  static List<String> lastArguments(int count) throws IOException {
    List<String> words = strings("/proc/self/cmdline");
    return words.subList(words.size() - count, words.size());
  }

  /** All variables. */
  static Map<String, String> environment() throws IOException {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String entry : strings("/proc/self/environ")) {
      int equals = entry.indexOf('=');
      if (equals > 0) {
        variables.put(entry.substring(0, equals), entry.substring(equals + 1));
      }
    }
    return variables;
  }

  /** The bits of {@code personality(2)} that a child inherits. */
  static int personality() throws IOException {
    return Integer.parseUnsignedInt(
        Files.readString(Path.of("/proc/self/personality")).strip(), 16);
  }

  private static List<String> strings(String file) throws IOException {
    String bytes = new String(Files.readAllBytes(Path.of(file)), StandardCharsets.ISO_8859_1);
    // A zero byte ends each.
    return bytes.isEmpty()
        ? List.of()
        : List.of(bytes.substring(0, bytes.length() - 1).split("\0", -1));
  }
}
