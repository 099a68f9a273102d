// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Runs histories against drivers, each in a kernel of its own; shortens one that breaks a rule. */
final class History {
  private static final int MAX_RUNS = 400;
  private static final Duration SHRINKING = Duration.ofSeconds(20);
  private static final Duration ENDLESS = Duration.ofSeconds(10);

  private final DriverCompliance compliance;
  private final Setting setting;
  private final Facades facades = new Facades();

  History(DriverCompliance compliance) {
    this(compliance, Setting.USUAL);
  }

  History(DriverCompliance compliance, Setting setting) {
    this.compliance = compliance;
    this.setting = setting;
  }

  /**
   * How a history ended.
   *
   * @param violation the first rule that was broken, if one was
   * @param steps those that were run, a line each, the driver's calls below each
   * @param ran how many those are
   * @param hung whether it never ended
   */
  private record Outcome(
      @Nullable Violation violation, List<String> steps, int ran, boolean hung) {}

  /**
   * Runs it.
   *
   * @param origin where it comes from, for the message
   * @throws BrokenRuleError when it breaks a rule, with a shorter history where one does too
   */
  void check(String origin, List<Step> steps) {
    Outcome outcome = run(steps);
    Violation violation = outcome.violation();
    if (violation == null || compliance.exempt().contains(violation.rule())) {
      return;
    }
    List<Step> shortest = steps;
    if (!outcome.hung()) {
      // What comes after the step that breaks it does not matter.
      shortest = shorten(steps.subList(0, outcome.ran()), violation.rule());
      Outcome again = run(shortest);
      Violation same = again.violation();
      if (same != null && same.rule() == violation.rule()) {
        outcome = again;
        violation = same;
      }
    }
    throw error(origin, steps.size(), shortest.size(), violation, outcome);
  }

  /** Runs it, whatever it breaks. */
  void live(List<Step> steps) {
    Outcome unused = run(steps);
  }

  /** As {@link #check} does for a rule that no step breaks. */
  void fail(Violation violation, List<String> steps) {
    throw error(
        "removal", steps.size(), steps.size(), violation,
        new Outcome(violation, steps, steps.size(), false));
  }

  private BrokenRuleError error(
      String origin, int of, int length, Violation violation, Outcome outcome) {
    Rule rule = violation.rule();
    StringBuilder text = new StringBuilder();
    text.append("the driver breaks ").append(rule).append('\n');
    text.append("  rule:    ").append(rule.statement()).append('\n');
    text.append("  book:    ").append(rule.book()).append('\n');
    text.append("  broken:  ").append(violation.what()).append('\n');
    text.append("  history: ").append(length == of ? length + " steps"
        : length + " of " + of
            + " steps; the others do not matter")
        .append(" (").append(origin).append(")\n");
    outcome.steps().forEach(line -> text.append("    ").append(line).append('\n'));
    return new BrokenRuleError(violation, outcome.steps(), text.toString());
  }

  /** On a thread of its own, so that a driver that never comes back is seen as one. */
  private Outcome run(List<Step> steps) {
    List<String> told = new ArrayList<>();
    AtomicReference<@Nullable Machine> machine = new AtomicReference<>();
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    AtomicInteger ran = new AtomicInteger();
    Thread thread = Thread.ofPlatform().name("faultline-compliance").daemon().start(() -> {
      try {
        run(steps, told, ran, machine);
      } catch (Throwable t) {
        thrown.set(t);
      }
    });
    try {
      if (!thread.join(ENDLESS)) {
        return hung(machine.get(), told);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
    Machine ended = machine.get();
    Violation violation = ended == null ? null : ended.violation();
    Throwable wrong = thrown.get();
    if (violation == null && wrong != null) {
      throw new AssertionError("a history cannot be run: " + wrong, wrong);
    }
    return new Outcome(violation, List.copyOf(told), ran.get(), false);
  }

  private static Outcome hung(@Nullable Machine machine, List<String> told) {
    if (machine == null) {
      throw new AssertionError("the driver cannot be made: its constructor does not return");
    }
    Watch watch = machine.watch();
    watch.violated(
        Rule.CALLBACKS_ANSWER,
        "a callback has not come back for " + ENDLESS.toSeconds()
            + " s and reacts to no interrupt: "
            + watch.underWay());
    watch.abandon();
    List<String> steps;
    synchronized (told) {
      steps = new ArrayList<>(told);
    }
    watch.takeCalls().forEach(call -> steps.add("     driver: " + call));
    return new Outcome(watch.violation(), steps, steps.size(), true);
  }

  private void run(
      List<Step> steps, List<String> told, AtomicInteger ran,
      AtomicReference<@Nullable Machine> made)
      throws Exception {
    Machine machine = new Machine(compliance, setting, facades);
    made.set(machine);
    try (machine) {
      for (Step step : steps) {
        tell(told, "%2d. %s".formatted(ran.incrementAndGet(), step));
        step.run(machine);
        machine.checkContained();
        machine.watch().takeCalls().forEach(call -> tell(told, "     driver: " + call));
        if (machine.violation() != null) {
          return;
        }
      }
      tell(told, " .. all processes exit, the driver is removed");
      machine.finish();
      machine.watch().takeCalls().forEach(call -> tell(told, "     driver: " + call));
    } catch (AssertionError inconsistent) {
      // After a broken rule the kernel's own accounts need not be even.
      if (machine.violation() == null) {
        throw inconsistent;
      }
    }
  }

  private static void tell(List<String> told, String line) {
    synchronized (told) {
      told.add(line);
    }
  }

  /** Leaves out steps, in ever smaller pieces, as long as the same rule is broken. */
  private List<Step> shorten(List<Step> failing, Rule rule) {
    long deadline = System.nanoTime() + SHRINKING.toNanos();
    List<Step> shortest = failing;
    int runs = 0;
    int piece = Math.max(1, failing.size() / 2);
    while (true) {
      boolean shorter = false;
      for (int start = 0; start < shortest.size();) {
        if (++runs > MAX_RUNS || System.nanoTime() > deadline) {
          return shortest;
        }
        List<Step> without = new ArrayList<>(shortest);
        without.subList(start, Math.min(start + piece, shortest.size())).clear();
        Violation violation = run(without).violation();
        if (violation != null && violation.rule() == rule) {
          shortest = without;
          shorter = true;
        } else {
          start += piece;
        }
      }
      if (!shorter && piece == 1) {
        return shortest;
      }
      piece = Math.max(1, piece / 2);
    }
  }
}
