// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.ptrace.BareProgram;
import java.util.Arrays;

/** The areas of a maps text, for the generator to aim at. Immutable. */
final class AreaView {
  /** A System V segment. */
  static final char SEGMENT = 'S';

  /** An AIO ring. */
  static final char RING = '[';

  /** A file in memory. */
  static final char MEMORY_FILE = 'm';

  /** Another file. */
  static final char FILE = 'f';

  /** One of the kernel's own, such as {@code [vdso]}. */
  static final char KERNELS_OWN = 'v';

  private static final String VSYSCALL = "ffffffffff600000";

  private final long[] starts;
  private final long[] ends;
  private final char[] kinds;
  private final int count;
  private final long bytes;

  private AreaView(long[] starts, long[] ends, char[] kinds, int count, long bytes) {
    this.starts = starts;
    this.ends = ends;
    this.kinds = kinds;
    this.count = count;
    this.bytes = bytes;
  }

  /** Reads a maps text; the program's own text and the vsyscall page are left out. */
  static AreaView of(String maps) {
    long[] starts = new long[64];
    long[] ends = new long[64];
    char[] kinds = new char[64];
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
            kinds = Arrays.copyOf(kinds, 2 * count);
          }
          kinds[count] = kind(maps, at, newline);
          starts[count] = start;
          ends[count++] = end;
          bytes += end - start;
        }
      }
      at = newline + 1;
    }
    return new AreaView(starts, ends, kinds, count, bytes);
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

  /** What an area is of: {@link #SEGMENT}, {@link #RING}, {@link #MEMORY_FILE}, {@link
   * #KERNELS_OWN}, another {@link #FILE}, or none of them. */
  char kind(int i) {
    return kinds[i];
  }

  /** What the area at an address is of; none where there is none. */
  char kindAt(long address) {
    for (int i = 0; i < count; i++) {
      if (starts[i] <= address && address < ends[i]) {
        return kinds[i];
      }
    }
    return ' ';
  }

  /** Whether an area of a kind is in a range. */
  boolean anyOf(char kind, long start, long size) {
    for (int i = 0; i < count; i++) {
      if (kinds[i] == kind && starts[i] < start + size && start < ends[i]) {
        return true;
      }
    }
    return false;
  }

  /** The letter behind the slash of {@code /SYSV…}, {@code /[aio]} and {@code /memfd:…}. */
  private static char kind(String maps, int line, int newline) {
    int bracket = maps.indexOf("[v", line);
    if (bracket >= 0 && bracket < newline) {
      return KERNELS_OWN;
    }
    int slash = maps.indexOf('/', line);
    return slash < 0 || slash > newline ? ' '
        : maps.startsWith("/SYSV", slash) || maps.startsWith("/[aio]", slash)
            || maps.startsWith("/memfd:", slash)
            ? maps.charAt(slash + 1)
        : FILE;
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
