// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.demo;

/** Something was not as the demo says it is. */
public final class DemoFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  DemoFailedException(String line) {
    super("demo: " + line, null, false, false);
  }

  @Override
  public String toString() {
    return String.valueOf(getMessage());
  }
}
