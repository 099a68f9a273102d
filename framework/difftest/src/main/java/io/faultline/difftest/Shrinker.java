// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.difftest.Laboratory.Outcome;
import io.faultline.host.linux.HostException;
import io.faultline.mm.Mman;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.SystemCall;
import java.util.ArrayList;
import java.util.List;

/** Delta debugging: the fewest steps that still make the two sides differ in the same way. */
final class Shrinker {
  /** Carries out steps on fresh processes. */
  @FunctionalInterface
  interface Trial {
    /** What came of them, up to the first difference. */
    Outcome of(List<Event> steps) throws HostException;
  }

  private final Trial trial;
  private final Difference wanted;

  Shrinker(Trial trial, Difference wanted) {
    this.trial = trial;
    this.wanted = wanted;
  }

  /** Shrinks a history whose last step differs; no step of the answer can be left out. */
  List<Event> shrink(Outcome outcome) throws HostException {
    List<Event> steps = new ArrayList<>(outcome.history());
    List<Event> placed = placed(outcome);
    if (differs(placed)) {
      steps = placed;
    }
    int part = Math.max(1, steps.size() / 2);
    while (true) {
      boolean smaller = false;
      // From the end: what matters is mostly near the difference. The last step stays.
      for (int end = steps.size() - 1; end > 0; end -= part) {
        int start = Math.max(0, end - part);
        List<Event> fewer = new ArrayList<>(steps.subList(0, start));
        fewer.addAll(steps.subList(end, steps.size()));
        if (differs(fewer)) {
          steps = fewer;
          smaller = true;
        }
      }
      if (part == 1 && !smaller) {
        return steps;
      }
      part = Math.max(1, part / 2);
    }
  }

  private boolean differs(List<Event> steps) throws HostException {
    Outcome outcome = trial.of(steps);
    Difference difference = outcome.difference();
    return difference != null && outcome.history().size() == steps.size()
        && difference.resembles(wanted);
  }

  /**
   * Names the places that the kernel chose, so that a mapping stays where it is when those before it
   * are left out. The last step stays as it is.
   */
  private static List<Event> placed(Outcome outcome) {
    List<Event> steps = new ArrayList<>(outcome.history());
    for (int i = 0; i < steps.size() - 1; i++) {
      String result = outcome.results().get(i);
      if (steps.get(i) instanceof SystemCall.Mmap c && result.startsWith("0x")
          && (c.flags() & (Mman.MAP_FIXED | Mman.MAP_HUGETLB)) == 0) {
        steps.set(i, new SystemCall.Mmap(0, Long.parseUnsignedLong(result, 2, result.length(), 16),
            c.length(), c.prot(), c.flags() & ~Mman.MAP_FIXED_NOREPLACE | Mman.MAP_FIXED, c.fd(),
            c.offset(), null));
      }
    }
    return steps;
  }
}
