// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.kernel.Decision;

/**
 * A rule of Linux that can decide an outcome. Each room has an enum of its own: {@link AreaRule} here,
 * the rooms above have theirs.
 */
public interface Rule {
  /**
   * What there is to know of a rule.
   *
   * @param kind which part of an outcome it decides
   * @param text what is decided, in a few words; without what only the case at hand can tell
   * @param source the kernel function, and {@code RULES n} where it stands under that number in
   *     {@code docs/exactness.md}
   * @param decider the class here that applies it
   */
  record Facts(Decision.Kind kind, String text, String source, Class<?> decider) {}

  /** The constant's name. */
  String name();

  Facts facts();

  /** What is decided, in a few words. */
  default String text() {
    return facts().text();
  }
}
