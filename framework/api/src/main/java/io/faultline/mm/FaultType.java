// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/** Whether a fault had to wait for a device: LDD3 p. 427, {@code VM_FAULT_MINOR/MAJOR}. */
public enum FaultType {
  /** The page was at hand. */
  MINOR,
  /** The page had to be brought from secondary storage. */
  MAJOR
}
