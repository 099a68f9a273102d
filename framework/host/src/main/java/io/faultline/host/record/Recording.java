// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A finished recording.
 *
 * @param command what was run
 * @param calls memory calls and those noted beside them
 * @param touches first writes seen
 * @param threads how many threads there were
 * @param exit the program's exit status, or 128 and the number of the signal that ended it
 * @param warnings what the recording does not explain
 * @param files the texts by their names in the recording's folder
 */
public record Recording(
    List<String> command,
    int calls,
    int touches,
    int threads,
    int exit,
    List<String> warnings,
    Map<String, String> files) {
  /** Copies the collections. */
  public Recording {
    command = List.copyOf(command);
    warnings = List.copyOf(warnings);
    files = Map.copyOf(files);
  }

  static Recording of(Session session, int threads, int exit) {
    History history = session.history();
    Snapshot begin = session.begin();
    Snapshot end = session.end();
    Map<String, String> files = new TreeMap<>();
    files.put("calls.strace", lines(history.lines()));
    files.put("digests.txt", lines(history.digests()));
    files.put("meta.json", Json.document(session.meta()));
    files.put("counts.txt", """
        calls %d
        touches %d
        checkpoints %d
        warnings %d
        exit %d
        threads_seen %d
        """.formatted(history.calls(), history.touches(), history.checkpoints().size(),
        history.warnings().size(), exit, threads));
    if (!history.warnings().isEmpty()) {
      files.put("warnings.txt", lines(history.warnings()));
    }
    put(files, "begin", begin);
    put(files, "end", end);
    for (History.Checkpoint checkpoint : history.checkpoints()) {
      String name = "checkpoints/" + checkpoint.name();
      files.put(name + ".maps", checkpoint.state().maps());
      files.put(name + ".vmflags", checkpoint.state().flags());
    }
    return new Recording(session.command(), history.calls(), history.touches(), threads, exit,
        history.warnings(), files);
  }

  /** Writes it into a folder that is there and empty. */
  public void writeTo(Path folder) throws IOException {
    Files.createDirectories(folder.resolve("checkpoints"));
    for (Map.Entry<String, String> file : files.entrySet()) {
      // Names of files are bytes, one character each.
      Files.writeString(
          folder.resolve(file.getKey()), file.getValue(), StandardCharsets.ISO_8859_1);
    }
  }

  private static void put(Map<String, String> files, String moment, Snapshot state) {
    files.put("maps." + moment, state.maps());
    files.put("vmflags." + moment, state.flags());
    files.put("smaps." + moment, state.smaps());
    files.put("status." + moment, state.status());
  }

  private static String lines(List<String> lines) {
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }
}
