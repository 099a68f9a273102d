// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/** The signals by which Linux refuses an access or ends a task. */
public enum Signal {
  SIGBUS(7),
  SIGKILL(9),
  SIGSEGV(11),
  SIGTERM(15);

  private final int number;

  Signal(int number) {
    this.number = number;
  }

  /** The signal's number on x86-64. */
  public int number() {
    return number;
  }
}
