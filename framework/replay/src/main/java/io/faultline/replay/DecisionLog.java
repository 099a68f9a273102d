// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.Decision;
import io.faultline.kernel.DecisionListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The kernel's latest decisions, by lines of the recording, so that a divergence can say what decided
 * it: most come to light at the line itself, some only at a checkpoint. For one replay; its faults and
 * calls are made by one thread.
 */
final class DecisionLog implements DecisionListener {
  /** How many are remembered, over all lines. */
  private static final int REMEMBERED = 4096;

  private record Entry(int line, Decision decision) {}

  private final Deque<Entry> latest = new ArrayDeque<>();
  private int line;

  /** What is decided from now on is decided at this line. */
  void begin(int newLine) {
    line = newLine;
  }

  @Override
  public void decided(Decision decision) {
    if (latest.size() == REMEMBERED) {
      latest.removeFirst();
    }
    latest.addLast(new Entry(line, decision));
  }

  /** What decided a line. */
  Reasons of(int wanted) {
    List<Decision> decisions = new ArrayList<>();
    Iterator<Entry> newestFirst = latest.descendingIterator();
    while (newestFirst.hasNext()) {
      Entry entry = newestFirst.next();
      if (entry.line() == wanted) {
        decisions.addFirst(entry.decision());
      } else if (entry.line() < wanted) {
        break;
      }
    }
    return new Reasons(wanted, decisions);
  }

  /** What decided the last line that had to do with a range; the present line when none had. */
  Reasons about(long start, long end) {
    Iterator<Entry> newestFirst = latest.descendingIterator();
    while (newestFirst.hasNext()) {
      Entry entry = newestFirst.next();
      Decision decision = entry.decision();
      if (decision.kind() != Decision.Kind.FAULT
          && decision.start() < end
          && start < decision.end()) {
        return of(entry.line());
      }
    }
    return of(line);
  }
}
