// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.Tracer;
import io.faultline.host.record.Recorder;
import io.faultline.host.record.Recording;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * {@code record}: runs a program and writes a recording of it. A program of its own, without a
 * container: {@code java io.faultline.host.RecordCommand -o DIR -- ls -l}. The recorded program has the
 * standard streams; what is said here goes to standard error.
 *
 * <p>Exit status: 0 recorded, 1 not, 2 wrong words.
 */
public final class RecordCommand {
  private static final int WRONG_WORDS = 2;
  private static final int WARNINGS_SHOWN = 5;
  private static final long QUIET_NANOS = 3_000_000_000L;
  private static final long EVERY_NANOS = 2_000_000_000L;
  private static final int SIGINT = 2;
  private static final int SIGACTION_BYTES = 32;
  private static final int SIGNAL_SET_BYTES = 8;

  private final PrintStream out;

  private RecordCommand(PrintStream out) {
    this.out = out;
  }

  /**
   * The program.
   *
   * @param words see {@code record} without words
   */
  public static void main(String[] words) {
    Runtime.getRuntime().exit(new RecordCommand(System.err).run(List.of(words)));
  }

  private int run(List<String> words) {
    if (words.equals(List.of("--help")) || words.equals(List.of("-h"))) {
      out.print(RecordArguments.USAGE);
      return 0;
    }
    RecordArguments arguments;
    try {
      arguments = RecordArguments.parse(words, System.getenv("PATH"));
    } catch (RecordArguments.WrongException e) {
      out.println("record: " + e.getMessage());
      return WRONG_WORDS;
    }
    HostSupport support = Host.supported();
    if (!support.supported()) {
      out.println("record: cannot record here: " + support.reason());
      return 1;
    }
    return record(arguments);
  }

  private int record(RecordArguments arguments) {
    Path folder = arguments.folder();
    try {
      // Made at once: whoever waits for a long program should not learn at its end that it cannot be.
      Path parent = folder.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.createDirectory(folder);
    } catch (FileAlreadyExistsException e) {
      out.println("record: " + folder + " is there already; remove it, or choose another with -o");
      return 1;
    } catch (IOException e) {
      out.println("record: cannot make " + folder + " (" + e + "); choose another with -o");
      return 1;
    }
    try {
      long start = System.nanoTime();
      Launch launch = launch(arguments);
      Recording recording = Tracer.onOwnThread("recorder", tracer -> {
        ignoreInterrupt(tracer.calls());
        return Recorder.record(tracer, launch, arguments.followExec(), progress(start));
      });
      recording.writeTo(folder);
      summary(recording, folder, System.nanoTime() - start);
      return 0;
    } catch (HostException e) {
      out.println("record: " + e.getMessage());
    } catch (IOException e) {
      out.println("record: cannot write " + folder + ": " + e);
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      out.println("record: interrupted");
    }
    try {
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      out.println("record: cannot remove " + folder + ": " + e);
    }
    return 1;
  }

  /** The program with the very bytes of the command line and the environment. */
  private static Launch launch(RecordArguments arguments) throws IOException {
    List<String> command = OwnBytes.lastArguments(arguments.command().size());
    // A name that was not looked up is the path itself.
    String program = arguments.program().equals(arguments.command().getFirst())
        ? command.getFirst()
        : arguments.program();
    return Launch.of(program, command).withEnvironment(OwnBytes.environment())
        .withCharset(StandardCharsets.ISO_8859_1)
        // As it would be without us, but for the randomization: setarch -L is inherited.
        .withPersonality(OwnBytes.personality() | Launch.NO_RANDOMIZATION);
  }

  private void summary(Recording recording, Path folder, long nanos) {
    out.printf("record: %s: %d calls, %d first writes, %d threads, exit %d, %.1f s; replay it with:"
        + " faultline replay %s%n",
        recording.command().isEmpty() ? "?"
            : recording.command()
                .getFirst(),
        recording.calls(), recording.touches(), recording.threads(),
        recording.exit(), nanos / 1e9, folder);
    if (recording.warnings().isEmpty()) {
      return;
    }
    out.printf("record: %d warnings: the recording does not explain all that happened, and may not"
        + " replay exactly (warnings.txt)%n", recording.warnings().size());
    recording.warnings().stream().limit(WARNINGS_SHOWN).forEach(line -> out.println("  " + line));
  }

  /** A line now and then, for programs that take long, when somebody is there to see it. */
  private IntConsumer progress(long start) {
    if (System.console() == null || !System.console().isTerminal()) {
      return calls -> {};
    }
    return new IntConsumer() {
      private long next = start + QUIET_NANOS;

      @Override
      public void accept(int calls) {
        long now = System.nanoTime();
        if (now - next >= 0) {
          next = now + EVERY_NANOS;
          out.printf("record: %d calls after %d s%n", calls, (now - start) / 1_000_000_000L);
        }
      }
    };
  }

  /** Ctrl-C is for the recorded program: when that ends by it, the recording is whole. */
  private static void ignoreInterrupt(LinuxCalls calls) {
    // struct sigaction with SIG_IGN
    MemorySegment action = calls.allocate(SIGACTION_BYTES).fill((byte) 0);
    action.set(ValueLayout.JAVA_LONG, 0, 1);
    calls.call(SyscallNumber.RT_SIGACTION, SIGINT, action.address(), 0, SIGNAL_SET_BYTES);
  }
}
