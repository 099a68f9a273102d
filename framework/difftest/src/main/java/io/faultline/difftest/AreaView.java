// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.ptrace.BareProgram;
import java.util.Arrays;

/** The areas of a maps text, for the generator to aim at. Immutable. */
final class AreaView {
  private static final String VSYSCALL = "ffffffffff600000";

  private final long[] starts;
  private final long[] ends;
  private final int count;
  private final long bytes;

  private AreaView(long[] starts, long[] ends, int count, long bytes) {
    this.starts = starts;
    this.ends = ends;
    this.count = count;
    this.bytes = bytes;
  }

  /** Reads a maps text; the program's own text and the vsyscall page are left out. */
  static AreaView of(String maps) {
    long[] starts = new long[64];
    long[] ends = new long[64];
    int count = 0;
    long bytes = 0;
    int at = 0;
    while (at < maps.length()) {
      int newline = maps.indexOf('\n', at);
      int dash = maps.indexOf('-', at);
      if (!maps.startsWith(VSYSCALL, at)) {
        long start = Long.parseLong(maps, at, dash, 16);
        long end = Long.parseLong(maps, dash + 1, maps.indexOf(' ', dash), 16);
        if (start != BareProgram.TEXT) {
          if (count == starts.length) {
            starts = Arrays.copyOf(starts, 2 * count);
            ends = Arrays.copyOf(ends, 2 * count);
          }
          starts[count] = start;
          ends[count++] = end;
          bytes += end - start;
        }
      }
      at = newline + 1;
    }
    return new AreaView(starts, ends, count, bytes);
  }

  int count() {
    return count;
  }

  long start(int i) {
    return starts[i];
  }

  long end(int i) {
    return ends[i];
  }

  /** Bytes that all areas cover. */
  long bytes() {
    return bytes;
  }

  /** The end of the area that holds an address, or the address itself. */
  long endOf(long address) {
    for (int i = 0; i < count; i++) {
      if (starts[i] <= address && address < ends[i]) {
        return ends[i];
      }
    }
    return address;
  }
}
