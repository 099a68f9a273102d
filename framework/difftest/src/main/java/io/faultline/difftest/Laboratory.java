// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.linux.HostException;
import io.faultline.host.ptrace.BareProgram;
import io.faultline.host.ptrace.Tracer;
import io.faultline.replay.KernelServices;
import io.faultline.replay.recording.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Runs histories on both kernels, one after the other. Confined to the tracer's thread. */
final class Laboratory implements AutoCloseable {
  private static final int FLAGS_EVERY = 16;

  private final Tracer tracer;
  private final KernelServices kernel;
  private final Path directory;
  private final Path program;
  private final HostFiles files;
  private final MemorySegment scratch;

  /** Makes the files that the tested processes use, in a temporary folder. */
  Laboratory(Tracer tracer, KernelServices kernel) throws HostException {
    this.tracer = tracer;
    this.kernel = kernel;
    this.scratch = tracer.calls().allocate(32);
    try {
      directory = Files.createTempDirectory("faultline-difftest");
      // For the child that is nobody.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      program = BareProgram.writeTo(directory.resolve(HostFiles.PROGRAM));
      files = HostFiles.in(directory);
    } catch (IOException e) {
      throw new HostException("cannot make the files of the test: " + e);
    }
  }

  /**
   * What came of a history.
   *
   * @param history the steps up to the first difference, which the last one made
   * @param results the kernel's answer to each
   */
  record Outcome(List<Event> history, List<String> results, @Nullable Difference difference) {
    /** Steps after which both sides agreed. */
    int compared() {
      return difference == null ? history.size() : history.size() - 1;
    }
  }

  /**
   * Makes up a history and carries it out, up to the first difference.
   *
   * @param steps at most so many
   * @param end no step begins after this {@link System#nanoTime()}
   */
  Outcome random(long seed, int level, int steps, long end) throws HostException {
    return random(seed, level, steps, end, comparison -> {
    });
  }

  /** Looks at both sides when a history is over. */
  interface LastLook {
    void at(Comparison comparison) throws HostException;
  }

  /** The same, with a look at both sides if they agreed throughout. */
  Outcome random(long seed, int level, int steps, long end, LastLook lastLook)
      throws HostException {
    Variant variant = Variant.of(seed, level);
    try (HostSegments segments = segments();
        Comparison comparison = new Comparison(kernel, start(segments, variant), FLAGS_EVERY)) {
      // The limits of another user's process are not ours to change.
      Generator generator = new Generator(
          seed, level, comparison.host().meta().layout(), !variant.nobody());
      Difference difference = null;
      for (int i = 0; i < steps && difference == null && System.nanoTime() - end < 0; i++) {
        difference = comparison.step(generator.next(comparison.host().maps()));
      }
      if (difference == null) {
        difference = comparison.compareFlags();
      }
      if (difference == null) {
        lastLook.at(comparison);
      }
      return comparison.outcome(difference);
    }
  }

  /** The folder of the files, in which the tested processes live. */
  Path directory() {
    return directory;
  }

  /** Carries out steps on fresh processes up to the first difference, flags compared after each. */
  Outcome replay(List<Event> steps, Variant variant) throws HostException {
    try (HostSegments segments = segments();
        Comparison comparison = new Comparison(kernel, start(segments, variant), 1)) {
      Difference difference = null;
      for (int i = 0; i < steps.size() && difference == null; i++) {
        difference = comparison.step(steps.get(i));
      }
      return comparison.outcome(difference);
    }
  }

  /** Writes what this machine's kernel makes of steps as a recording. */
  void record(Path directory, List<Event> steps, Variant variant, int level, long seed)
      throws HostException {
    try (HostSegments segments = segments();
        HostSide host = start(segments, variant)) {
      RecordingWriter.write(host, program, directory, steps, level, seed);
    }
  }

  private HostSegments segments() throws HostException {
    return HostSegments.make(tracer.calls());
  }

  private HostSide start(HostSegments segments, Variant variant) throws HostException {
    return HostSide.start(tracer, scratch, program, files, segments, variant);
  }

  @Override
  public void close() {
    try (Stream<Path> made = Files.list(directory)) {
      for (Path file : made.toList()) {
        Files.delete(file);
      }
      Files.delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
