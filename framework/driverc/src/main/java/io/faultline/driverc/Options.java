// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import aQute.bnd.version.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What was asked for.
 *
 * @param sources the source files, as they were given; at least one
 * @param folder where the jar goes; null for where {@code insmod NAME} finds it
 * @param version of the bundle
 */
record Options(List<Path> sources, @Nullable Path folder, String version) {
  private static final String EXAMPLE = "; example: faultline driver Hello.java";

  /**
   * Reads the words of a command line.
   *
   * @throws ComplaintException when they are wrong
   */
  static Options parse(List<String> words) throws ComplaintException {
    List<Path> sources = new ArrayList<>();
    Path folder = null;
    String version = "1.0.0";
    for (Iterator<String> rest = words.iterator(); rest.hasNext();) {
      String word = rest.next();
      switch (word) {
        case "-o" -> folder = Path.of(value(word, "a folder", rest));
        case "--version" -> version = version(value(word, "a version such as 1.1.0", rest));
        default -> {
          if (word.startsWith("-")) {
            throw new ComplaintException(
                "there is no option " + word + "; there are -o DIR and --version V" + EXAMPLE);
          }
          if (word.isBlank()) {
            throw new ComplaintException("FILE.java is missing" + EXAMPLE);
          }
          sources.addAll(sources(Path.of(word)));
        }
      }
    }
    if (sources.isEmpty()) {
      throw new ComplaintException("FILE.java is missing" + EXAMPLE);
    }
    return new Options(List.copyOf(sources), folder, version);
  }

  private static String value(String option, String what, Iterator<String> rest)
      throws ComplaintException {
    if (!rest.hasNext()) {
      throw new ComplaintException(option + ": " + what + " is missing" + EXAMPLE);
    }
    return rest.next();
  }

  private static String version(String text) throws ComplaintException {
    if (!Version.isVersion(text)) {
      throw new ComplaintException(
          "--version: " + text + " is no version; it is MAJOR.MINOR.MICRO, three numbers: 1.1.0");
    }
    return Version.parseVersion(text).toString();
  }

  /** The file itself, or every source file below a folder. */
  private static List<Path> sources(Path given) throws ComplaintException {
    if (Files.isDirectory(given)) {
      try (Stream<Path> files = Files.walk(given)) {
        List<Path> found = files.filter(Options::isSource).sorted().toList();
        if (found.isEmpty()) {
          throw new ComplaintException(given + " holds no .java file");
        }
        return found;
      } catch (IOException e) {
        throw new ComplaintException("cannot read " + given + ": " + e.getMessage());
      }
    }
    if (!Files.isRegularFile(given)) {
      throw new ComplaintException(
          given
              + " does not exist"
              + (given.isAbsolute() ? "" : " (in " + Path.of("").toAbsolutePath() + ")"));
    }
    if (!isSource(given)) {
      throw new ComplaintException(given + " is no .java file" + EXAMPLE);
    }
    return List.of(given);
  }

  private static boolean isSource(Path file) {
    return file.toString().endsWith(".java");
  }
}
