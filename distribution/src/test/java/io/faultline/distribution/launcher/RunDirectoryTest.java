// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  @TempDir Path var;

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void isMadeEmptyAndGoesWithTheRun() throws IOException {
    RunDirectory run = RunDirectory.open(var);
    assertThat(run.directory()).isEmptyDirectory();
    Files.createDirectories(run.directory().resolve("cache/bundle0"));
    Files.writeString(run.directory().resolve("cache/bundle0/bundle.info"), "x");
    run.close();
    assertThat(var.resolve("run")).isEmptyDirectory();
  }

  @Test
  void theLogStays() throws IOException {
    RunDirectory run = RunDirectory.open(var);
    Files.writeString(run.log(), "a line");
    run.close();
    assertThat(run.log()).hasContent("a line");
  }

  @Test
  void whatAKilledRunLeftIsSwept() throws IOException {
    Files.createDirectories(var.resolve("run/999999999/cache"));
    Files.createFile(var.resolve("run/999999999.lock"));
    RunDirectory run = RunDirectory.open(var);
    try {
      String own = Long.toString(ProcessHandle.current().pid());
      assertThat(names(var.resolve("run"))).containsExactly(own, own + ".lock");
    } finally {
      run.close();
    }
  }

  @Test
  void aLivingRunIsLeftAlone() throws Exception {
    Process living =
        new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-cp",
            System.getProperty("java.class.path"),
            OtherRun.class.getName(),
            var.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      Path other = Path.of(living.inputReader().readLine());
      RunDirectory.open(var).close();
      assertThat(other).isEmptyDirectory();
    } finally {
      living.destroy();
    }
  }

  /** A run in a process of its own, until it is killed. */
  static final class OtherRun {
    public static void main(String[] args) throws IOException {
      System.out.println(RunDirectory.open(Path.of(args[0])).directory());
      System.in.read();
    }
  }

  @Test
  void onlyTheLastLogsAreKept() throws IOException {
    Path logs = Files.createDirectories(var.resolve("log"));
    for (int i = 0; i < 30; i++) {
      Path log = Files.writeString(logs.resolve("faultline-" + i + ".log"), "x");
      assertThat(log.toFile().setLastModified(1_000_000L + i * 1000L)).isTrue();
    }
    RunDirectory.open(var).close();
    assertThat(names(logs)).hasSize(9).contains("faultline-29.log")
        .doesNotContain("faultline-20.log");
  }
}
