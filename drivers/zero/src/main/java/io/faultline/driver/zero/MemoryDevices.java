// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import java.lang.foreign.MemorySegment;

/** What the devices of Linux's {@code drivers/char/mem.c} have in common. */
final class MemoryDevices {
  /** {@code MEM_MAJOR}. */
  static final int MAJOR = 1;

  private MemoryDevices() {}

  /** Fills all of the target with zeros. */
  static int readZeros(MemorySegment target) {
    target.fill((byte) 0);
    return (int) target.byteSize();
  }

  /** Takes all of the source, without a look at it. */
  static int swallow(MemorySegment source) {
    return (int) source.byteSize();
  }
}
