// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.util.Objects;

/**
 * A system call or a driver's callback failed with an error number. The message says which argument
 * was refused and why.
 *
 * <p>It carries no stack trace: a failing system call is an everyday result, as cheap as it is in
 * Linux, and the message names the cause.
 */
public final class ErrnoException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * @param errno the error number
   * @param detail which argument was refused and why, for a person to read
   */
  public ErrnoException(Errno errno, String detail) {
    super(detail, null, false, false);
    this.errno = Objects.requireNonNull(errno, "errno");
  }

  /** The error number. */
  public Errno errno() {
    return errno;
  }

  /** The detail behind the errno's name and text: {@code EINVAL (Invalid argument): length is 0}. */
  @Override
  public String toString() {
    return errno.name() + " (" + errno.text() + "): " + getMessage();
  }
}
