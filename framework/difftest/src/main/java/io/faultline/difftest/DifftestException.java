// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

/** The command failed. Its text is one line for a person; it is all that a shell prints. */
public final class DifftestException extends Exception {
  private static final long serialVersionUID = 1L;

  DifftestException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
