// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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
    Process living = start(OtherRun.class, var);
    try {
      Path other = Path.of(living.inputReader().readLine());
      RunDirectory.open(var).close();
      assertThat(other).isEmptyDirectory();
    } finally {
      living.destroy();
    }
  }

  private static Process start(Class<?> program, Path argument) throws IOException {
    return new ProcessBuilder(
        ProcessHandle.current().info().command().orElseThrow(),
        "-cp",
        System.getProperty("java.class.path"),
        program.getName(),
        argument.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  @Test
  void anotherRunThatTakesTheLockForADeadOneIsWaitedFor() throws Exception {
    Path lock =
        Files.createDirectories(var.resolve("run"))
            .resolve(ProcessHandle.current().pid() + ".lock");
    Process sweeper = start(Sweeper.class, lock);
    try {
      assertThat(sweeper.inputReader().readLine()).isEqualTo("locked");
      CompletableFuture<Path> begun = new CompletableFuture<>();
      Thread thread = Thread.ofPlatform().daemon().start(() -> {
        try (RunDirectory run = RunDirectory.open(var)) {
          begun.complete(run.directory());
        } catch (IOException | RuntimeException e) {
          begun.completeExceptionally(e);
        }
      });
      // Nothing may happen: that can only be waited for.
      Thread.sleep(100);
      assertThat(begun).isNotDone();
      sweeper.outputWriter().close();
      assertThat(begun.get(5, TimeUnit.MINUTES).getParent()).isEqualTo(var.resolve("run"));
      thread.join();
    } finally {
      sweeper.destroy();
    }
  }

  /** What a run that begins does with the lock of one that is not alive, as it thinks. */
  static final class Sweeper {
    public static void main(String[] args) throws IOException {
      Path file = Path.of(args[0]);
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        System.out.println("locked");
        System.in.read();
        Files.delete(file);
      }
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
