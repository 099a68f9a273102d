// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Digest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Two maps side by side: the lines that differ, with one line of context at each end.
 *
 * @param leftTitle what the left one is
 * @param rightTitle what the right one is
 * @param left one text
 * @param right the other
 */
public record MapsDiff(String leftTitle, String rightTitle, String left, String right) {
  private static final int NARROW = 78;

  /** Addresses in bytes, half-open. */
  record Range(long start, long end) {}

  /** The kernel's text is known. */
  static MapsDiff of(String kernel, String ours) {
    return new MapsDiff("Linux", "Faultline", kernel, ours);
  }

  /**
   * Only the digest of the kernel's text is known. Where our map is one merge, split or refusal away
   * from a text with that digest, that text is shown; else what our call changed.
   */
  static MapsDiff byDigest(Digest expected, String before, String ours) {
    String found = KernelMapSearch.find(expected, before, ours);
    if (found != null) {
      return new MapsDiff("Linux (found by its checksum)", "Faultline", found, ours);
    }
    return new MapsDiff(
        "Faultline before (Linux after: " + expected.count() + " lines)",
        "Faultline after",
        before,
        ours);
  }

  /** Where the first difference lies; null when one is only longer. */
  @Nullable Range firstDifference() {
    List<String> l = compact(left);
    List<String> r = compact(right);
    int shorter = Math.min(l.size(), r.size());
    for (int i = 0; i < shorter; i++) {
      if (!FlagsText.same(l.get(i), r.get(i))) {
        return new Range(
            Math.min(start(l.get(i)), start(r.get(i))), Math.min(end(l.get(i)), end(r.get(i))));
      }
    }
    return null;
  }

  /** The table, with a line feed behind each line. */
  @Override
  public String toString() {
    List<String> l = compact(left);
    List<String> r = compact(right);
    int head = 0;
    int shorter = Math.min(l.size(), r.size());
    while (head < shorter && l.get(head).equals(r.get(head))) {
      head++;
    }
    int tail = 0;
    while (tail < shorter - head
        && l.get(l.size() - 1 - tail).equals(r.get(r.size() - 1 - tail))) {
      tail++;
    }
    int from = Math.max(0, head - 1);
    int lTo = Math.min(l.size(), l.size() - tail + 1);
    int rTo = Math.min(r.size(), r.size() - tail + 1);
    if (head == l.size() && head == r.size()) {
      return "  no line differs but in blanks or the order of flags\n";
    }
    List<String> rows = new ArrayList<>();
    int width = leftTitle.length();
    for (String line : l.subList(from, lTo)) {
      width = Math.max(width, line.length());
    }
    width = Math.min(width, NARROW);
    rows.add(row(' ', leftTitle, rightTitle, width));
    int i = from;
    int j = from;
    while (i < lTo || j < rTo) {
      int order =
          i >= lTo ? 1 : j >= rTo ? -1 : Long.compareUnsigned(start(l.get(i)), start(r.get(j)));
      String a = order <= 0 ? l.get(i++) : "";
      String b = order >= 0 ? r.get(j++) : "";
      rows.add(row(a.equals(b) ? ' ' : '>', a, b, width));
    }
    return String.join("\n", rows) + "\n";
  }

  private static String row(char mark, String left, String right, int width) {
    String cell = left.length() > width ? left.substring(0, width - 1) + "…" : left;
    return ("%c %-" + width + "s | %s").formatted(mark, cell, right).stripTrailing();
  }

  private static long start(String line) {
    return address(line, 0, line.indexOf('-'));
  }

  private static long end(String line) {
    return address(line, line.indexOf('-') + 1, line.indexOf(' '));
  }

  private static long address(String line, int from, int to) {
    try {
      return Long.parseUnsignedLong(line, from, Math.max(to, from), 16);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private static List<String> compact(String text) {
    List<String> lines = new ArrayList<>();
    for (String line : text.split("\n")) {
      lines.add(line.strip().replaceAll(" +", " "));
    }
    return lines;
  }
}
