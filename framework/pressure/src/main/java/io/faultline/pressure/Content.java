// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.mm.Mman;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What stands in a page, made from a number: nothing of it has to be remembered but the number. Three
 * eighths are random and the rest repeats, so that pages compress about as those of programs do.
 * Confined to one thread.
 */
final class Content {
  private static final int LONGS = (int) Mman.PAGE_SIZE / Long.BYTES;
  private static final int RANDOM = LONGS * 3 / 8;

  private final MemorySegment expected = Arena.ofAuto().allocate(Mman.PAGE_SIZE, Long.BYTES);
  private final MemorySegment found = Arena.ofAuto().allocate(Mman.PAGE_SIZE, Long.BYTES);

  /** Of a page of a region of a run; each version is another. */
  static long key(long seed, int region, int page, int version) {
    return mix(mix(mix(seed ^ region) ^ page) ^ version);
  }

  /** The long at a place of the page, 0 to 511. */
  static long at(long key, int index) {
    return index < RANDOM ? mix(key + index) : key;
  }

  /** The whole page, good until the next call. */
  MemorySegment page(long key) {
    for (int i = 0; i < LONGS; i++) {
      expected.setAtIndex(ValueLayout.JAVA_LONG, i, at(key, i));
    }
    return expected;
  }

  /** Where a page that was read goes. */
  MemorySegment buffer() {
    return found;
  }

  /** The first byte of the buffer that is not as it should be, or -1. */
  long mismatch(long key) {
    return found.mismatch(page(key));
  }

  /** splitmix64. */
  private static long mix(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }
}
