// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.difftest.Laboratory.Outcome;
import io.faultline.host.linux.HostException;
import io.faultline.host.ptrace.Tracer;
import io.faultline.replay.KernelServices;
import io.faultline.replay.ProgressLine;
import io.faultline.replay.recording.Event;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs one history after the other on both kernels until the time is up. History number {@code n} of a
 * run has the seed {@code S + n} and the level {@code n mod 5}, so that each can be had again by
 * itself.
 */
public final class DifferentialRun {
  /** Steps of a history: mostly short ones, since a long one hides what its many areas share. */
  private static final int[] LENGTHS = {400, 400, 1200, 400, 3000};

  private final KernelServices kernel;
  private final DifftestArguments arguments;
  private final PrintStream out;
  private final Progress progress;

  /**
   * @param kernel the engine
   * @param arguments what to run
   * @param out for divergences
   */
  public DifferentialRun(KernelServices kernel, DifftestArguments arguments, PrintStream out) {
    this.kernel = kernel;
    this.arguments = arguments;
    this.out = out;
    this.progress = new Progress(ProgressLine.onStandardError());
  }

  /**
   * Runs, on a thread of its own.
   *
   * @throws HostException when this machine does not let us
   * @throws InterruptedException when the waiting thread is interrupted; the run ends by itself
   */
  public DifftestSummary run() throws HostException, InterruptedException {
    return Tracer.onOwnThread("difftest", this::compare);
  }

  private DifftestSummary compare(Tracer tracer) throws HostException {
    long begin = System.nanoTime();
    long end = begin + arguments.nanos();
    long[] operations = new long[Generator.LEVELS + 1];
    List<String> divergences = new ArrayList<>();
    try (Laboratory laboratory = new Laboratory(tracer, kernel)) {
      for (long n = 0; n == 0 || System.nanoTime() - end < 0; n++) {
        long seed = arguments.seed() + n;
        int level = arguments.level() != 0 ? arguments.level()
            : 1 + (int) (n % Generator.LEVELS);
        int steps = LENGTHS[(int) (n / Generator.LEVELS % LENGTHS.length)];
        Outcome outcome = laboratory.random(seed, level, steps, end);
        operations[level] += outcome.compared();
        if (outcome.difference() != null) {
          progress.erase();
          divergences.add(report(laboratory, outcome, seed, level));
          if (divergences.size() >= arguments.most()) {
            break;
          }
        }
        progress.show(operations, divergences.size(), System.nanoTime() - begin, arguments.nanos());
      }
    } finally {
      progress.erase();
    }
    return new DifftestSummary(operations, divergences, System.nanoTime() - begin);
  }

  /** Shrinks a history, prints what is left and writes it as a recording. */
  private String report(Laboratory laboratory, Outcome outcome, long seed, int level)
      throws HostException {
    Variant variant = Variant.of(seed, level);
    String name = "L%d-s%d%s".formatted(level, seed, variant.suffix());
    out.printf("difftest: %s differs at step %d%n%s%n", name, outcome.history().size(),
        outcome.difference());
    Outcome again = laboratory.replay(outcome.history(), variant);
    Difference difference = again.difference();
    if (difference == null) {
      out.printf("difftest: %s: not again on fresh processes; seed %d, level %d%n", name, seed,
          level);
      return name;
    }
    out.printf("difftest: %s: shrinking …%n", name);
    List<Event> steps = new Shrinker(candidate -> laboratory.replay(candidate, variant), difference)
        .shrink(again);
    Path directory = arguments.output().resolve(name);
    laboratory.record(directory, steps, variant, level, seed);
    out.printf("difftest: %s: the fewest steps, also as the recording %s%n", name, directory);
    for (Event step : steps) {
      out.println("  " + StraceText.of(step, "…").replace("\n", "\n  "));
    }
    Difference last = laboratory.replay(steps, variant).difference();
    out.println(last);
    out.flush();
    return name + ": " + (last == null ? difference : last);
  }
}
