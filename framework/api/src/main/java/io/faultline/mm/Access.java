// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/** What a program does with an address when it faults. */
public enum Access {
  READ,
  WRITE,
  EXECUTE
}
