// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The history of one address space on a real kernel. Immutable.
 *
 * @param name the directory's name
 * @param directory where it was read from
 * @param begin the mappings just after {@code execve}
 * @param events the lines of {@code calls.strace}; event {@code i} is line {@code i + 1}
 * @param checkpoints by name
 * @param callsText the text of {@code calls.strace}
 */
public record Recording(
    String name,
    Path directory,
    Meta meta,
    List<InitialMapping> begin,
    List<Event> events,
    Digests digests,
    Map<String, Checkpoint> checkpoints,
    String callsText) {

  /**
   * Reads a directory.
   *
   * @throws RecordingException when a file is missing or broken, with file, line and what was expected
   */
  public static Recording read(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw RecordingException.of(
          directory, "not a directory: a recording is a directory with calls.strace in it");
    }
    Path calls = directory.resolve("calls.strace");
    String callsText = LineScanner.text(calls);
    List<Event> events = new CallsReader(new LineScanner(calls, callsText)).read();
    Path name = directory.toAbsolutePath().normalize().getFileName();
    return new Recording(
        name == null ? directory.toString() : name.toString(),
        directory,
        MetaReader.read(directory.resolve("meta.json")),
        MapsReader.read(directory.resolve("maps.begin"), directory.resolve("vmflags.begin")),
        events,
        Digests.read(directory.resolve("digests.txt")),
        checkpoints(directory.resolve("checkpoints"), events),
        callsText);
  }

  private static Map<String, Checkpoint> checkpoints(Path directory, List<Event> events)
      throws IOException {
    Map<String, Checkpoint> checkpoints = new LinkedHashMap<>();
    for (Event event : events) {
      if (event instanceof Note.CheckpointReached reached) {
        String name = reached.name();
        checkpoints.put(
            name,
            new Checkpoint(
                name,
                LineScanner.text(directory.resolve(name + ".maps")),
                LineScanner.text(directory.resolve(name + ".vmflags"))));
      }
    }
    return Map.copyOf(checkpoints);
  }

  /**
   * A line of {@code calls.strace} as it was recorded.
   *
   * @param line from 1
   * @return null when there is no such line
   */
  public @Nullable String lineText(int line) {
    int start = 0;
    for (int i = 1; i < line; i++) {
      start = callsText.indexOf('\n', start) + 1;
      if (start == 0) {
        return null;
      }
    }
    if (line < 1 || start >= callsText.length()) {
      return null;
    }
    int end = callsText.indexOf('\n', start);
    return callsText.substring(start, end < 0 ? callsText.length() : end);
  }
}
