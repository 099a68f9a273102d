// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Bytes that tell themselves apart. */
final class Pattern {
  private Pattern() {}

  /** Fills a segment, a multiple of eight bytes long. */
  static void fill(MemorySegment bytes, long value) {
    long next = value * 0x9e3779b97f4a7c15L + 1;
    for (long at = 0; at < bytes.byteSize(); at += Long.BYTES) {
      bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, at, next);
      next = next * 6364136223846793005L + 1442695040888963407L;
    }
  }
}
