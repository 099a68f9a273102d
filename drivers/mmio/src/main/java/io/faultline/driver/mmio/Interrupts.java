// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

/** The interrupt line: which bits hold it up, and how often it was raised. Guarded by the device. */
final class Interrupts {
  private int status;
  private int count;

  /** The bits that were raised and not acknowledged. */
  int status() {
    return status;
  }

  /** How often it was raised, modulo 2<sup>32</sup>. */
  int count() {
    return count;
  }

  /** Raises; nothing to raise is no interrupt. */
  void raise(int bits) {
    if (bits != 0) {
      status |= bits;
      count++;
    }
  }

  void acknowledge(int bits) {
    status &= ~bits;
  }

  void restore(int savedStatus, int savedCount) {
    status = savedStatus;
    count = savedCount;
  }
}
