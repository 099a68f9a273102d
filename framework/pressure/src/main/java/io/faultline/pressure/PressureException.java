// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

/** A pressure run cannot be done, or has found something wrong. */
public final class PressureException extends Exception {
  private static final long serialVersionUID = 1;

  /** One line for the user. */
  public PressureException(String message) {
    super(message);
  }
}
