// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.util.List;

/** A driver breaks a {@link Rule}; the message is for the driver's author. */
public final class BrokenRuleError extends AssertionError {
  private static final long serialVersionUID = 1L;

  private final Rule rule;
  private final transient List<String> history;

  BrokenRuleError(Violation violation, List<String> history, String text) {
    super(text);
    this.rule = violation.rule();
    this.history = List.copyOf(history);
  }

  /** Which rule. */
  public Rule rule() {
    return rule;
  }

  /** The shortest history that was found to break it, a step a line. */
  public List<String> history() {
    return history;
  }
}
