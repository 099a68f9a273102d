// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

/** No bundle can be made; one line that says why and what to do. */
final class ComplaintException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param line the whole line
   */
  ComplaintException(String line) {
    super(line, null, false, false);
  }

  /** The line. */
  String line() {
    return String.valueOf(getMessage());
  }
}
