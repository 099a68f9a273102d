// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.jline.builtins.Completers.CompletionData;
import org.jline.reader.Candidate;
import org.jline.reader.ParsedLine;
import org.jspecify.annotations.Nullable;

/**
 * The line that is being completed, as gogo.jline leaves it in the session. The only class here that
 * needs JLine: it is loaded only where a session has a JLine reader.
 *
 * @param words the words, the command first
 * @param index which of them the cursor is in
 * @param word that one, up to the cursor
 */
record CommandLine(List<String> words, int index, String word) {
  static @Nullable CommandLine of(CommandSession session) {
    return session.get(".commandLine") instanceof ParsedLine line
        ? new CommandLine(
            line.words(), line.wordIndex(), line.word().substring(0, line.wordCursor()))
        : null;
  }

  /** What JLine keeps for a command: its description, and what to call for its arguments. */
  static Object ours(Manual manual) {
    return List.of(description(manual), arguments("faultline:__complete"));
  }

  /**
   * The same for a command of another bundle. Its arguments are offered by the command {@code
   * faultline:__NAME}, if it brings one along: it returns the words.
   *
   * @param commands all there are, with their scopes
   */
  static Object others(Manual manual, Collection<?> commands) {
    String own = Command.SCOPE + ":__" + manual.name();
    if (commands.contains(own)) {
      return List.of(description(manual), arguments(own));
    }
    boolean folders = manual.usage().slots().stream().anyMatch(s -> s.value().equals("DIR"));
    return folders
        ? List.of(description(manual), arguments("__directories"))
        : List.of(description(manual));
  }

  private static CompletionData description(Manual manual) {
    return new CompletionData(null, manual.summary(), null, null);
  }

  private static CompletionData arguments(String script) {
    return new CompletionData(null, null, script, null);
  }

  /** The candidates as JLine wants them. */
  static List<Object> candidates(List<Suggestion> suggestions) {
    List<Object> candidates = new ArrayList<>();
    for (Suggestion each : suggestions) {
      String description = each.description().isEmpty() ? null : each.description();
      candidates.add(
          new Candidate(each.value(), each.shown(), null, description, null, null, each.whole()));
    }
    return candidates;
  }
}
