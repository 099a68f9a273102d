// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

/** The contents of one page of memory: one value, for all that the histories write. */
final class Cell {
  long value;

  Cell(long value) {
    this.value = value;
  }
}
