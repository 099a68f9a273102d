// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/** The call was not made, since drivers are being exchanged: wait, and begin anew. */
final class ExchangeException extends RuntimeException {
  static final ExchangeException INSTANCE = new ExchangeException();

  private static final long serialVersionUID = 1L;

  private ExchangeException() {
    super("drivers are being exchanged", null, false, false);
  }
}
