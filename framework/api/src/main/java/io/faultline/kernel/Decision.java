// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.Locale;

/**
 * Why the kernel did what it did: one rule of Linux that decided a part of the outcome of a call or a
 * fault, and the class that applied it.
 *
 * @param kind which part of the outcome
 * @param rule the rule's name, stable, for programs: {@code ANON_VMAS_DIFFER}
 * @param text what was decided, for a person to read
 * @param decider the simple name of the class that decided
 * @param source the kernel function that decides in Linux, and {@code RULES n} where the rule stands
 *     under that number in {@code docs/exactness.md}
 * @param start first address that it is about, bytes
 * @param end first address behind that range; {@code start} for a single address
 */
public record Decision(
    Kind kind, String rule, String text, String decider, String source, long start, long end) {
  /** Which part of an outcome a decision is about. */
  public enum Kind {
    /** The address that was chosen. */
    PLACEMENT,
    /** Whether neighbours became one area, and why not. */
    MERGE,
    /** An area that was cut in two. */
    SPLIT,
    /** The anon_vma that an area got. */
    ANON_VMA,
    /** Flags that an area got, kept or lost. */
    FLAGS,
    /** What became of an area as a whole: removed, moved, grown. */
    AREA,
    /** A check that refused, with its errno. */
    CHECK,
    /** How a page fault ended. */
    FAULT
  }

  /** {@code merge: not with the area below: the anon_vmas differ (MergeRules, RULES 10)}. */
  @Override
  public String toString() {
    return "%s: %s (%s, %s)"
        .formatted(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '), text, decider, source);
  }
}
