// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

import java.io.PrintStream;

/** Tells the story, and keeps count of what was checked. Not thread-safe. */
final class Narrator {
  private static final String BOLD = "\033[1m";
  private static final String DIM = "\033[2m";
  private static final String GREEN = "\033[32m";
  private static final String CYAN = "\033[36m";
  private static final String PLAIN = "\033[0m";

  private final PrintStream out;
  private final boolean colours;
  private int steps;
  private int checks;

  Narrator(PrintStream out, boolean colours) {
    this.out = out;
    this.colours = colours;
  }

  /** Begins a step. */
  void step(String title) {
    steps++;
    out.printf("%n%s%n", paint(BOLD, "%2d  %s".formatted(steps, title)));
  }

  /** A sentence of explanation. */
  void say(String format, Object... arguments) {
    out.printf("    %s%n", format.formatted(arguments));
  }

  /** A system call, or a load, and its result. */
  void call(String call, Object result) {
    out.printf("    %s = %s%n", paint(CYAN, call), result);
  }

  /** An access, and what it brings about. */
  void access(String access, String effect) {
    out.printf("    %s → %s%n", paint(CYAN, access), effect);
  }

  /** Text that the kernel printed, as it is. */
  void quote(String line) {
    out.printf("  %s%n", paint(DIM, "| ") + line);
  }

  /**
   * Checks what the story claims, then says it.
   *
   * @throws DemoFailedException when it is not so
   */
  void check(boolean holds, String claim, Object... arguments) throws DemoFailedException {
    String text = claim.formatted(arguments);
    if (!holds) {
      throw new DemoFailedException("step " + steps + ": not so: " + text);
    }
    checks++;
    out.printf("  %s %s%n", paint(GREEN, "✓"), text);
  }

  /**
   * Checks a value.
   *
   * @throws DemoFailedException with both values when they differ
   */
  void same(Object expected, Object actual, String claim, Object... arguments)
      throws DemoFailedException {
    if (!expected.equals(actual)) {
      throw new DemoFailedException(
          "step %d: not so: %s: expected %s, got %s"
              .formatted(steps, claim.formatted(arguments), expected, actual));
    }
    check(true, claim, arguments);
  }

  int steps() {
    return steps;
  }

  int checks() {
    return checks;
  }

  private String paint(String colour, String text) {
    return colours ? colour + text + PLAIN : text;
  }
}
