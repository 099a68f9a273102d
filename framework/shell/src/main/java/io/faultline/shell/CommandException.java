// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

/**
 * A command could not do what was asked. Its text is one line that is fit to be read by a person; it
 * is all that the shell prints, so {@link #toString} has no class name in it.
 */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param line the whole line, with the command's name in front
   */
  public CommandException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
