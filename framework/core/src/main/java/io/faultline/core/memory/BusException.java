// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/** An access to a device's registers that did not take place. Has no stack trace: it is an answer. */
public final class BusException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean absent;

  /**
   * @param cause for people to read
   * @param absent whether nobody was asked, so that {@link IoBus#await} may help
   */
  public BusException(String cause, boolean absent) {
    super(cause, null, false, false);
    this.absent = absent;
  }

  /** Whether nobody was asked. */
  public boolean isAbsent() {
    return absent;
  }
}
