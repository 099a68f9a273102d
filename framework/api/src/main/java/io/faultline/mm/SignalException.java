// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/**
 * A simulated program's access was answered with a signal. Thrown by user-memory accessors; it has
 * no stack trace, since the fault is the program's and not Java's.
 */
public final class SignalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Siginfo info;

  /**
   * @param info what the program is told
   */
  public SignalException(Siginfo info) {
    super(info.toString(), null, false, false);
    this.info = info;
  }

  /** What the program is told. */
  public Siginfo info() {
    return info;
  }
}
