// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

/**
 * A result that Gogo prints by its own text. Its {@code toString} is the word by which other commands
 * know it.
 */
public interface View {
  /** The text for a person, of one or more lines, with no line break at its end. */
  String text();

  /** The text where it stands as one item among others. */
  default String line() {
    return toString();
  }
}
