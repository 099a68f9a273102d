// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/** The recordings that lie beside the tests. */
public final class TestRecordings {
  private TestRecordings() {}

  /** All of them, by name: a folder that is copied there is a test. */
  public static Stream<String> all() {
    Path folder = Objects.requireNonNull(directory("true").getParent());
    try (Stream<Path> recordings = Files.list(folder)) {
      return recordings.filter(Files::isDirectory).map(path -> path.getFileName().toString())
          .sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where one lies. */
  public static Path directory(String name) {
    URL url = Objects.requireNonNull(TestRecordings.class.getResource("/recordings/" + name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A copy that a test may break. */
  public static void copy(String name, Path target) throws IOException {
    Path source = directory(name);
    try (Stream<Path> files = Files.walk(source)) {
      files
          .filter(Files::isRegularFile)
          .forEach(
              file -> {
                try {
                  Path to = target.resolve(source.relativize(file).toString());
                  Files.createDirectories(Objects.requireNonNull(to.getParent()));
                  Files.copy(file, to);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
