// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Recording;
import io.faultline.replay.recording.RecordingException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Replays many recordings, several at once, and prints a line for each in the order in which they
 * were given.
 */
final class ReplayRun {
  /** Frames of a stack trace that are printed for a failure. */
  private static final int FRAMES = 6;

  /** Lines of context round the first divergence. */
  private static final int CONTEXT = 4;

  private final Replayer replayer;
  private final ReplayArguments arguments;
  private final PrintStream out;
  private final Progress progress;

  ReplayRun(
      Replayer replayer, ReplayArguments arguments, PrintStream out, Progress progress) {
    this.replayer = replayer;
    this.arguments = arguments;
    this.out = out;
    this.progress = progress;
  }

  /** A recording with its result, or why it could not be read. */
  private record Done(
      Path directory,
      @Nullable Recording recording,
      @Nullable ReplayResult result,
      @Nullable String problem) {}

  /**
   * Replays them all.
   *
   * @throws IOException when results cannot be written
   * @throws CommandException when two recordings would write one file
   */
  ReplaySummary run() throws IOException, InterruptedException, CommandException {
    List<Path> directories = arguments.recordings();
    if (arguments.results() != null) {
      refuseEqualNames(directories);
    }
    List<ReplayResult> all = new ArrayList<>();
    int unreadable = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(arguments.jobs(), ReplayRun::thread)) {
      List<Future<Done>> pending = new ArrayList<>();
      for (Path directory : directories) {
        pending.add(pool.submit(() -> one(directory)));
      }
      try {
        for (Future<Done> future : pending) {
          Done done = future.get();
          ReplayResult result = done.result();
          print(done);
          if (result == null) {
            unreadable++;
          } else {
            all.add(result);
          }
        }
      } catch (ExecutionException e) {
        pool.shutdownNow();
        if (e.getCause() instanceof IOException io) {
          throw io;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        pool.shutdownNow();
        throw e;
      }
    }
    ReplaySummary summary = new ReplaySummary(all, unreadable);
    if (!arguments.json() && directories.size() > 1) {
      out.println(summary.totals());
    }
    return summary;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "faultline-replay");
    thread.setDaemon(true);
    return thread;
  }

  private Done one(Path directory) throws IOException {
    Recording recording;
    progress.begin(String.valueOf(directory.getFileName()));
    try {
      try {
        recording = Recording.read(directory);
      } catch (RecordingException e) {
        return new Done(directory, null, null, e.getMessage());
      } catch (IOException e) {
        return new Done(directory, null, null, directory + ": " + e);
      }
      Path target = arguments.results();
      ReplayOptions options = arguments.options();
      if (target == null) {
        return new Done(directory, recording, replayer.replay(recording, options), null);
      }
      try (ResultWriter writer = ResultWriter.create(target, recording.name())) {
        return new Done(directory, recording, replayer.replay(recording, options, writer), null);
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    } finally {
      progress.end();
    }
  }

  private void print(Done done) {
    ReplayResult result = done.result();
    String problem = done.problem();
    if (result == null) {
      String name = String.valueOf(done.directory().getFileName());
      out.println(arguments.json() ? JsonLine.unreadable(name, String.valueOf(problem)) : problem);
      return;
    }
    out.println(arguments.json() ? JsonLine.of(result) : ReplaySummary.line(result));
    if (!arguments.json() && arguments.options().stopAtFirst()) {
      explain(done.recording(), result);
    }
  }

  /** The first divergence with its context. */
  private void explain(@Nullable Recording recording, ReplayResult result) {
    Divergence first = result.first();
    if (first == null || recording == null) {
      return;
    }
    int last = Math.min(first.line() + 1, recording.events().size());
    for (int line = Math.max(1, first.line() - CONTEXT); line <= last; line++) {
      out.printf(
          "  %s%6d %s%n", line == first.line() ? ">" : " ", line, recording.lineText(line));
    }
    for (Divergence divergence : result.divergences()) {
      out.printf(
          "    %s: expected %s, got %s%n",
          divergence.kind(), divergence.expected(), divergence.got());
      Throwable failure = divergence.failure();
      if (failure != null) {
        StackTraceElement[] trace = failure.getStackTrace();
        for (int i = 0; i < Math.min(FRAMES, trace.length); i++) {
          out.printf("      at %s%n", trace[i]);
        }
      }
      MapsDiff maps = divergence.maps();
      if (maps != null) {
        maps.toString().lines().forEach(line -> out.println("    " + line));
      }
      divergence.reasons().lines(divergence.line()).forEach(line -> out.println("    " + line));
    }
  }

  private static void refuseEqualNames(List<Path> directories) throws CommandException {
    Map<String, Path> names = new HashMap<>();
    for (Path directory : directories) {
      String name = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
      Path other = names.put(name, directory);
      if (other != null) {
        throw new CommandException(
            "replay: --results: %s and %s would both be %s.results".formatted(other, directory,
                name));
      }
    }
  }
}
