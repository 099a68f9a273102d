// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

/** The command could not do what was asked; its text is all that the shell prints. */
public final class FbException extends Exception {
  private static final long serialVersionUID = 1L;

  FbException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
