// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

/** Something was not as it must be; one line for a person to read. */
public final class SoakFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  SoakFailedException(String line) {
    super(line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
