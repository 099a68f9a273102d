// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

/**
 * How to replay.
 *
 * @param from first line that is compared; what is before it is only carried out
 * @param to last line that is carried out
 * @param stopAtFirst end at the first divergence
 * @param keep leave the replayed process alive
 */
public record ReplayOptions(int from, int to, boolean stopAtFirst, boolean keep) {
  /** Everything, to the end. */
  public static final ReplayOptions ALL = new ReplayOptions(1, Integer.MAX_VALUE, false, false);

  /**
   * @throws IllegalArgumentException when the range of lines is empty
   */
  public ReplayOptions {
    if (from < 1 || to < from) {
      throw new IllegalArgumentException(
          "from, to: lines %d to %d; expected 1 or more, and from not above to"
              .formatted(from, to));
    }
  }

  boolean compares(int line) {
    return line >= from && line <= to;
  }
}
