// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/**
 * Contents of a page, told by one number, so that a model of thousands of pages is small. One in four
 * is zero or one word over and over, one is noise, the others are halfway, as memory is.
 *
 * @param number different numbers give different pages, save that every multiple of 16 is all zeros
 */
record SwapPage(long number) {
  static final int BYTES = 4096;

  private static final int WORDS = BYTES / Long.BYTES;

  /** Makes a page look like this. */
  void fill(MemorySegment page) {
    MemorySegment.copy(words(), 0, page, ValueLayout.JAVA_LONG_UNALIGNED, 0, WORDS);
  }

  /** Whether a page looks like this. */
  boolean is(MemorySegment page) {
    return page.mismatch(MemorySegment.ofArray(words())) == -1;
  }

  private long[] words() {
    Random random = new Random(number * 0x9E3779B97F4A7C15L);
    long[] words = new long[WORDS];
    switch ((int) Math.floorMod(number, 16L)) {
      case 0 -> { // All zeros.
      }
      case 1, 2, 3 -> Arrays.fill(words, number);
      case 4, 5, 6, 7 -> Arrays.setAll(words, i -> random.nextLong());
      default -> {
        int noisy = random.nextInt(WORDS);
        Arrays.setAll(words, i -> i < noisy ? random.nextLong(256) : i);
        words[0] = number;
      }
    }
    return words;
  }
}
