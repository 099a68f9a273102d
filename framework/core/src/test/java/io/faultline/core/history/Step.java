// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

/**
 * One step of a history.
 *
 * @param process which of the processes that are alive, counted round
 * @param call what it does
 */
record Step(int process, Call call) {
  @Override
  public String toString() {
    return "\n  " + process + ": " + call;
  }
}
