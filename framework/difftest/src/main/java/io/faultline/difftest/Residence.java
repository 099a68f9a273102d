// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.mm.Mman;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.SystemCall;

/**
 * Which pages' presence in memory can be compared. Not those of files: they may be in the page cache
 * without anybody here having touched them. None at all once a huge page may be there, which brings
 * 511 others along: the engine has none.
 */
enum Residence {
  /** Every anonymous page is there since somebody here touched it. */
  KNOWN,
  /** A huge page may be somewhere. */
  UNKNOWN;

  /** Whether a step may bring a huge page. */
  boolean changedBy(Event event, String result) {
    return event instanceof SystemCall.Madvise advice
        && (advice.advice() == Mman.MADV_HUGEPAGE || advice.advice() == Mman.MADV_COLLAPSE);
  }

  /**
   * The vector as text, with a dash for each page that cannot be compared.
   *
   * @param maps in which the pages are
   */
  String told(long address, byte[] vector, String maps) {
    StringBuilder text = new StringBuilder("-".repeat(vector.length));
    if (this == KNOWN) {
      for (String line : maps.split("\n")) {
        if (comparable(line)) {
          long start = Long.parseUnsignedLong(line, 0, line.indexOf('-'), 16);
          long end =
              Long.parseUnsignedLong(line, line.indexOf('-') + 1, line.indexOf(' '), 16);
          for (long page = Math.max(start, address);
              page < Math.min(end, address + 4096L * vector.length); page += 4096) {
            int i = (int) ((page - address) >>> 12);
            text.setCharAt(i, (vector[i] & 1) == 0 ? '0' : '1');
          }
        }
      }
    }
    return text.toString();
  }

  private static boolean comparable(String line) {
    return line.endsWith(" 0 ") || line.endsWith("[heap]") || line.contains(" /dev/zero (deleted)")
        || line.contains(" /SYSV") || line.contains(" /[aio]");
  }
}
