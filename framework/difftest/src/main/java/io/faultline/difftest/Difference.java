// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.replay.recording.Event;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Where the engine is not Linux.
 *
 * @param kind what differs
 * @param event after which step
 * @param expected the kernel's
 * @param got the engine's
 */
record Difference(Kind kind, Event event, String expected, String got) {
  /** What differs. */
  enum Kind {
    RESULT,
    MAPS,
    FLAGS,
    VECTOR
  }

  /** Whether it may well have the same cause. */
  boolean resembles(Difference other) {
    return kind == other.kind && event.getClass() == other.event.getClass()
        && (kind != Kind.RESULT || expected.startsWith("0x") == other.expected.startsWith("0x")
            && got.startsWith("0x") == other.got.startsWith("0x"));
  }

  /** A few lines: the step, and what either side has alone. */
  @Override
  public String toString() {
    String step = StraceText.of(event, kind == Kind.RESULT ? expected : "…");
    if (kind == Kind.RESULT || kind == Kind.VECTOR) {
      return kind + " " + step + "\n  Linux:  " + expected + "\n  engine: " + got;
    }
    Set<String> linux = new LinkedHashSet<>(Arrays.asList(expected.split("\n")));
    Set<String> engine = new LinkedHashSet<>(Arrays.asList(got.split("\n")));
    StringBuilder text = new StringBuilder().append(kind).append(" after ").append(step);
    linux.stream().filter(line -> !engine.contains(line))
        .forEach(line -> text.append("\n  Linux:  ").append(line));
    engine.stream().filter(line -> !linux.contains(line))
        .forEach(line -> text.append("\n  engine: ").append(line));
    return text.toString();
  }
}
