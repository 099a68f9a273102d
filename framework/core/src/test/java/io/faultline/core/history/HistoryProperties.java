// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;

/** After any history the engine agrees with the naive model, and nothing is left of it. */
class HistoryProperties {
  private static final int HISTORIES = 600;
  private static final int LONGEST = 400;
  private static final AtomicLong STEPS = new AtomicLong();

  /** Shortened by ourselves: leaving out steps finds short histories much faster than jqwik does. */
  @Property(tries = HISTORIES, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void engineAgreesWithTheNaiveModelAfterEveryStep(@ForAll("histories") List<Step> history) {
    check(History::compare, history);
    STEPS.addAndGet(history.size());
  }

  @Property(tries = HISTORIES / 4, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void engineAgreesWithTheNaiveModelWhereMemoryIsScarceButThereIsSwap(
      @ForAll("histories") List<Step> history) {
    check(History::compareSwapping, history);
  }

  @Property(tries = HISTORIES / 8, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void engineStaysSoundAndLosesNothingWhereMemoryIsScarce(
      @ForAll("histories") List<Step> history) {
    check(History::starve, history);
  }

  private static void check(History.Run how, List<Step> history) {
    try {
      how.run(history);
    } catch (AssertionError | RuntimeException wrong) {
      throw History.shorten(how, history, wrong);
    }
  }

  @Provide
  Arbitrary<List<Step>> histories() {
    return Calls.histories(LONGEST);
  }

  @AfterContainer
  static void thereWereAHundredThousandSteps() {
    assertThat(STEPS.get()).isGreaterThanOrEqualTo(100_000);
  }
}
