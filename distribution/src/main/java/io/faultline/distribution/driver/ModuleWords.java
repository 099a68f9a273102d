// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.jline.reader.Candidate;
import org.jline.reader.ParsedLine;

/** What Tab offers where a driver is to be named: those that came along, jars, sources, and folders. */
final class ModuleWords {
  private ModuleWords() {}

  /**
   * The candidates for the word at the cursor.
   *
   * @param names of drivers that came along
   * @param session whose line is completed, and whose folder names of files are relative to
   */
  static List<Object> of(List<String> names, CommandSession session) {
    String word =
        session.get(".commandLine") instanceof ParsedLine line
            ? line.word().substring(0, line.wordCursor())
            : "";
    return List.copyOf(of(names, session.currentDir(), word));
  }

  /**
   * The candidates for a word.
   *
   * @param here what names of files are relative to
   * @param word up to the cursor
   */
  static List<Candidate> of(List<String> names, Path here, String word) {
    List<Candidate> offered = new ArrayList<>();
    names.forEach(name -> offered.add(new Candidate(name)));
    String folder = word.substring(0, word.lastIndexOf('/') + 1);
    boolean hidden = word.startsWith(".", folder.length());
    try (Stream<Path> files = Files.list(resolve(here, folder))) {
      files.sorted().forEach(file -> {
        String name = file.getFileName().toString();
        if (name.startsWith(".") && !hidden) {
          return;
        }
        if (Files.isDirectory(file)) {
          // No blank behind it: one goes on with what is in there.
          offered.add(
              new Candidate(folder + name + "/", name + "/", null, null, null, null, false));
        } else if (name.endsWith(".jar") || name.endsWith(".java")) {
          offered.add(new Candidate(folder + name, name, null, null, null, null, true));
        }
      });
    } catch (IOException noSuchFolder) {
      // Then there is nothing to offer.
    }
    return offered;
  }

  /** A path as it was typed, which may begin at home. */
  static Path resolve(Path folder, String word) {
    Path path =
        word.startsWith("~/")
            ? Path.of(System.getProperty("user.home"), word.substring(2))
            : Path.of(word);
    return folder.resolve(path).normalize();
  }
}
