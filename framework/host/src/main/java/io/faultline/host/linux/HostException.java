// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.linux;

import java.io.Serial;

/** The kernel beneath refused something. The message says what, and what to do about it. */
public final class HostException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  private final int errno;
  private final String text;

  /**
   * A refusal.
   *
   * @param message what was refused and what to do
   * @param errno the kernel's number, 0 for none
   */
  public HostException(String message, int errno) {
    super(message);
    this.text = message;
    this.errno = errno;
  }

  /**
   * A refusal without a number of the kernel's.
   *
   * @param message what was refused and what to do
   */
  public HostException(String message) {
    this(message, 0);
  }

  @Override
  public String getMessage() {
    return text;
  }

  /** The kernel's error number, 0 for none. */
  public int errno() {
    return errno;
  }
}
