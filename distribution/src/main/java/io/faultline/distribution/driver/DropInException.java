// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

/** A driver could not be dropped in or taken out; one line for a person to read. */
public final class DropInException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param line the whole line
   */
  public DropInException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
