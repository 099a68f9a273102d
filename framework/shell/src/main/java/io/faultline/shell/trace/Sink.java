// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

/** Where trace lines go. */
interface Sink {
  /** Whether it understands colours. */
  boolean colours();

  /** Writes a line so that what is being typed stays whole. */
  void line(String text);
}
