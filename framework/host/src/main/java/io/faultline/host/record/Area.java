// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One line of {@code /proc/PID/maps}, and whether anonymous memory has been seen in it. */
final class Area {
  private static final int NAME_COLUMN = 73;

  final String line;
  final long start;
  final long end;
  /** What follows the range, up to the name: rights, offset, device, inode. */
  final String attributes;
  final String name;
  /** Whether its private memory is known to the recording; then nothing more is to be noted of it. */
  boolean known;

  private Area(String line) {
    this.line = line;
    int dash = line.indexOf('-');
    int blank = line.indexOf(' ');
    this.start = Long.parseUnsignedLong(line, 0, dash, 16);
    this.end = Long.parseUnsignedLong(line, dash + 1, blank, 16);
    // The name stands in a column, or one blank behind the inode where the numbers are long.
    int at = blank;
    for (int word = 0; word < 3; word++) {
      at = line.indexOf(' ', at + 1);
    }
    int behindInode = line.indexOf(' ', at + 1);
    this.attributes = line.substring(blank + 1, behindInode);
    this.name = line.length() <= NAME_COLUMN
        ? line.substring(behindInode).strip()
        : line.substring(behindInode).stripLeading();
  }

  static List<Area> parse(String maps) {
    List<Area> areas = new ArrayList<>();
    for (int at = 0; at < maps.length();) {
      int end = maps.indexOf('\n', at);
      areas.add(new Area(maps.substring(at, end)));
      at = end + 1;
    }
    return areas;
  }

  /** Device and inode, {@code fe:00 1234}; null for no file. */
  @Nullable String file() {
    String file = attributes.substring(attributes.indexOf(' ', 5) + 1);
    return file.equals("00:00 0") ? null : file;
  }

  /** {@code rwxp} or {@code rwxs}. */
  boolean isPrivate() {
    return attributes.charAt(3) == 'p';
  }

  /** Whether it can come to have anonymous memory; the kernel's own pages look like it but are not. */
  boolean canHaveAnonymousMemory() {
    return isPrivate() && !name.startsWith("[vvar") && !name.equals("[vsyscall]");
  }

  boolean overlaps(long from, long to) {
    return Long.compareUnsigned(start, to) < 0 && Long.compareUnsigned(from, end) < 0;
  }
}
