// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

/**
 * The command failed: wrong arguments, or, after its lines are printed, recordings that are not
 * exact. Its text is one line for a person; it is all that a shell prints.
 */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  CommandException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
