// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

/**
 * How many of a kind were exactly the kernel's.
 *
 * @param exact how many were
 * @param total how many there are
 */
public record Score(int exact, int total) {
  static final Score NONE = new Score(0, 0);

  Score plus(Score other) {
    return new Score(exact + other.exact, total + other.total);
  }

  boolean all() {
    return exact == total;
  }

  @Override
  public String toString() {
    return exact + "/" + total;
  }
}
