// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import java.io.Serial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The words of {@code record}.
 *
 * @param folder where the recording goes
 * @param followExec whether a program that becomes another one is recorded as that one
 * @param program the path that is executed
 * @param command the program as it was called, and its arguments
 */
record RecordArguments(Path folder, boolean followExec, String program, List<String> command) {
  static final String USAGE = """
      usage: record [-o DIR] [--first] [--] COMMAND [ARGUMENT...]
        Runs a program and records its address space: every memory call with its result, what it
        touched, its maps after each call. Replay the recording with: faultline replay DIR
        -o DIR    the folder to make; without it, NAME.rec in the current one
        --first   when the program becomes another one (a script that ends in exec), end the
                  recording there; without it, the other program is recorded instead
        Children of fork are not recorded.
      """;

  /** The words cannot be followed. The message says what to do. */
  static final class WrongException extends Exception {
    @Serial private static final long serialVersionUID = 1;

    WrongException(String message) {
      super(message);
    }
  }

  /**
   * Reads them.
   *
   * @param words without the command's own name
   * @param path the folders to look for a program in, colons between; null for none
   */
  static RecordArguments parse(List<String> words, @Nullable String path) throws WrongException {
    Path folder = null;
    boolean followExec = true;
    int at = 0;
    while (at < words.size() && words.get(at).startsWith("-")) {
      String word = words.get(at++);
      if (word.equals("--")) {
        break;
      }
      switch (word) {
        case "-o" -> {
          if (at == words.size()) {
            throw new WrongException("-o: the folder is missing behind it");
          }
          folder = Path.of(words.get(at++));
        }
        case "--first" -> followExec = false;
        default -> throw new WrongException(
            word + ": no such option; put -- before a command that begins with a dash");
      }
    }
    List<String> command = List.copyOf(words.subList(at, words.size()));
    if (command.isEmpty()) {
      throw new WrongException("the command to record is missing\n" + USAGE.strip());
    }
    String name = command.getFirst();
    String program = find(name, path);
    if (folder == null) {
      folder = Path.of(Path.of(name).getFileName() + ".rec");
    }
    return new RecordArguments(folder, followExec, program, command);
  }

  private static String find(String name, @Nullable String path) throws WrongException {
    if (name.contains("/")) {
      Path file = Path.of(name);
      if (!Files.exists(file)) {
        throw new WrongException(name + ": there is no such file");
      }
      if (Files.isDirectory(file) || !Files.isExecutable(file)) {
        throw new WrongException(
            name + ": it cannot be executed; try chmod +x, or its interpreter");
      }
      return name;
    }
    for (String folder : (path == null ? "/usr/bin:/bin" : path).split(":")) {
      Path file = Path.of(folder.isEmpty() ? "." : folder, name);
      if (Files.isRegularFile(file) && Files.isExecutable(file)) {
        return file.toString();
      }
    }
    throw new WrongException(
        name + ": no such program in PATH; give its path, as in ./" + name);
  }
}
