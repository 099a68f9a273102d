// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import org.jspecify.annotations.Nullable;

/**
 * One line of a maps text, taken apart so that it can be joined with its neighbour or split.
 *
 * @param identity device and inode as printed
 * @param name the name, empty for none
 */
record MapsLine(long start, long end, String rights, long offset, String identity, String name) {
  /** Where the name begins: {@code seq_pad} of the kernel's {@code show_vma_header_prefix}. */
  private static final int NAME_COLUMN = 73;

  static MapsLine parse(String line) {
    int dash = line.indexOf('-');
    int[] blank = new int[5];
    int at = 0;
    for (int i = 0; i < blank.length; i++) {
      at = line.indexOf(' ', at + 1);
      blank[i] = at;
    }
    return new MapsLine(
        Long.parseUnsignedLong(line, 0, dash, 16),
        Long.parseUnsignedLong(line, dash + 1, blank[0], 16),
        line.substring(blank[0] + 1, blank[1]),
        Long.parseUnsignedLong(line, blank[1] + 1, blank[2], 16),
        line.substring(blank[2] + 1, blank[4]),
        line.substring(blank[4]).strip());
  }

  /** This line and the next as one, or null when they do not touch. */
  @Nullable MapsLine joined(MapsLine next) {
    return end == next.start && rights.equals(next.rights) && identity.equals(next.identity)
        ? new MapsLine(
            start, next.end, rights, offset, identity, name.isEmpty() ? next.name : name)
        : null;
  }

  MapsLine upTo(long address) {
    return new MapsLine(start, address, rights, offset, identity, name);
  }

  MapsLine from(long address) {
    long moved = identity.startsWith("00:00 ") ? offset : offset + address - start;
    return new MapsLine(address, end, rights, moved, identity, name);
  }

  /** As the kernel prints it, with a line feed. */
  String text() {
    StringBuilder text =
        new StringBuilder(
            "%08x-%08x %s %08x %s ".formatted(start, end, rights, offset, identity));
    if (!name.isEmpty()) {
      while (text.length() < NAME_COLUMN) {
        text.append(' ');
      }
      text.append(name);
    }
    return text.append('\n').toString();
  }
}
