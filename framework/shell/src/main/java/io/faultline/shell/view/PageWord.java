// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import java.util.ArrayList;
import java.util.List;

/**
 * A word of {@code /proc/PID/pagemap}.
 *
 * @param address of the page
 * @param word as the kernel writes it
 */
public record PageWord(long address, long word) {
  private static final long FRAME = (1L << 55) - 1;
  private static final int TYPE_BITS = 5;

  private boolean has(int bit) {
    return (word >>> bit & 1) != 0;
  }

  /** What it says, in words. */
  public String meaning() {
    List<String> words = new ArrayList<>();
    if (has(63)) {
      words.add("present, frame " + (word & FRAME));
    } else if (has(58)) {
      words.add("guard");
    } else if (has(62)) {
      long type = word & (1 << TYPE_BITS) - 1;
      words.add("swap device " + type + ", slot " + ((word & FRAME) >>> TYPE_BITS));
    }
    if (has(61)) {
      words.add("file or shared");
    }
    if (has(56)) {
      words.add("mapped once");
    }
    if (has(55)) {
      words.add("written");
    }
    return String.join(", ", words);
  }

  @Override
  public String toString() {
    return "%x %016x %s".formatted(address, word, meaning());
  }
}
