// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

/**
 * A system call as it was entered.
 *
 * @param number see {@link io.faultline.host.linux.SyscallNumber}
 * @param arguments all six, whether the call has them or not
 */
record Entered(int number, long[] arguments) {
  long arg(int n) {
    return arguments[n];
  }

  int intArg(int n) {
    return (int) arguments[n];
  }
}
