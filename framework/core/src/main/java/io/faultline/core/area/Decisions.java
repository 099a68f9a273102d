// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.kernel.Decision;
import io.faultline.kernel.DecisionListener;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * Where the engine says why: one for each address space. Without a listener a decision costs one look
 * at a field; whoever has to make a text for it asks {@link #wanted} first. Thread-safe.
 */
public final class Decisions {
  private volatile @Nullable DecisionListener listener;

  /** The refusal that was told last: the classes it passes on its way out do not tell it again. */
  private volatile @Nullable ErrnoException told;

  /** Sets who hears them; null for nobody. */
  public void explainTo(@Nullable DecisionListener newListener) {
    listener = newListener;
    told = null;
  }

  /** Whether anybody listens. */
  public boolean wanted() {
    return listener != null;
  }

  /** A rule decided something about {@code [start, end)}. */
  public void by(Rule rule, long start, long end) {
    if (listener != null) {
      tell(rule, rule.text(), start, end);
    }
  }

  /**
   * A rule decided something that only the case at hand can tell.
   *
   * @param text in place of the rule's own
   */
  public void by(Rule rule, long start, long end, String text) {
    if (listener != null) {
      tell(rule, text, start, end);
    }
  }

  /**
   * A class refused; the first one to say so, the innermost, is believed.
   *
   * @return the refusal, to be thrown on
   */
  public ErrnoException refused(Rule rule, ErrnoException refusal) {
    if (listener != null && told != refusal) {
      told = refusal;
      tell(rule, refusal.errno() + " by " + rule.text() + ": " + refusal.getMessage(), 0, 0);
    }
    return refusal;
  }

  private void tell(Rule rule, String text, long start, long end) {
    DecisionListener hears = listener;
    if (hears == null) {
      return;
    }
    Rule.Facts facts = rule.facts();
    try {
      hears.decided(
          new Decision(
              facts.kind(), rule.name(), text, facts.decider().getSimpleName(), facts.source(),
              start, end));
    } catch (Throwable ignored) {
      // Promised to the listener: its exceptions harm nobody.
    }
  }
}
