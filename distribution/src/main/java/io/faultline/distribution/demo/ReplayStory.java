// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import io.faultline.kernel.Task;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;

/** A real program's memory calls, recorded on a real kernel, repeated here. */
final class ReplayStory {
  private static final String RECORDING = "ls";
  private static final int LINES_SHOWN = 8;

  private final Kernel kernel;
  private final CommandProcessor processor;
  private final Path recordings;
  private final Narrator narrator;

  ReplayStory(Kernel kernel, CommandProcessor processor, Path recordings, Narrator narrator) {
    this.kernel = kernel;
    this.processor = processor;
    this.recordings = recordings;
    this.narrator = narrator;
  }

  void tell() throws DemoFailedException, IOException {
    Path recording = recordings.resolve(RECORDING);
    narrator.step("A real program: ls, recorded on Linux 6.18, replayed here");
    List<Task> before = kernel.tasks().list();
    String report = replay(recording);
    List<Task> left = kernel.tasks().list().stream().filter(t -> !before.contains(t)).toList();
    try {
      narrator.say("replay --keep recordings/%s", RECORDING);
      report.lines().limit(1).forEach(narrator::quote);
      narrator.check(left.size() == 1, "every call, touch and map was exactly the kernel's");
      compare(left.getFirst(), recording.resolve("maps.end"));
    } finally {
      left.forEach(task -> kernel.tasks().exit(task, 0));
    }
  }

  /** Runs the shell's own command; what it prints is returned, and what it throws is a failure. */
  private String replay(Path recording) throws DemoFailedException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    try (CommandSession session =
        processor.createSession(InputStream.nullInputStream(), out, out)) {
      session.put("recording", recording.toString());
      session.execute("faultline:replay --keep $recording");
      return printed.toString(StandardCharsets.UTF_8);
    } catch (Exception e) {
      throw new DemoFailedException(
          e.getMessage() + "\n" + printed.toString(StandardCharsets.UTF_8));
    }
  }

  private void compare(Task task, Path recorded) throws DemoFailedException, IOException {
    // File names are bytes to the kernel: one character each.
    String expected = Files.readString(recorded, StandardCharsets.ISO_8859_1);
    String actual = kernel.proc().maps(task);
    narrator.say("/proc/%d/maps at the end:", task.pid());
    actual.lines().limit(LINES_SHOWN).forEach(narrator::quote);
    narrator.quote("...");
    narrator.same(
        expected,
        actual,
        "all %d lines are the kernel's, byte for byte (recordings/%s/maps.end)",
        expected.lines().count(),
        RECORDING);
  }
}
