// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Digest;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the kernel's maps text from its checksum, where ours is nearly the same: the kernel changed
 * nothing, or joined one or two pairs of neighbours that we did not, or kept one or two boundaries
 * that we lost. A hit is certain enough: a wrong text has one chance in four thousand millions.
 */
final class KernelMapSearch {
  /** How many joins and splits are tried together. */
  private static final int STEPS = 2;

  /** Larger maps would take too long. */
  private static final int MOST_LINES = 2000;

  private final Digest expected;

  private KernelMapSearch(Digest expected) {
    this.expected = expected;
  }

  /**
   * @param before our text before the call, when it was the kernel's
   * @param ours our text after it
   * @return the kernel's text after the call, or null when it is none of those tried
   */
  static @Nullable String find(Digest expected, String before, String ours) {
    if (Digest.of(before).equals(expected)) {
      return before;
    }
    try {
      int distance = Math.abs(Digest.of(ours).count() - expected.count());
      if (distance == 0 || distance > STEPS || expected.count() > MOST_LINES) {
        return null;
      }
      List<MapsLine> after = parse(ours);
      TreeSet<Long> boundaries = new TreeSet<>();
      for (MapsLine line : parse(before)) {
        boundaries.add(line.start());
        boundaries.add(line.end());
      }
      for (MapsLine line : after) {
        boundaries.add(line.start());
        boundaries.add(line.end());
      }
      return new KernelMapSearch(expected).search(after, boundaries, STEPS);
    } catch (RuntimeException e) {
      // A text that is not even a maps text; the caller shows it as it is.
      return null;
    }
  }

  private @Nullable String search(List<MapsLine> lines, TreeSet<Long> boundaries, int depth) {
    for (int i = 0; i < lines.size(); i++) {
      MapsLine line = lines.get(i);
      if (i + 1 < lines.size()) {
        MapsLine joined = line.joined(lines.get(i + 1));
        if (joined != null) {
          String hit = tryOne(lines, i, 2, List.of(joined), boundaries, depth);
          if (hit != null) {
            return hit;
          }
        }
      }
      for (long at : boundaries.subSet(line.start(), false, line.end(), false)) {
        List<MapsLine> halves = List.of(line.upTo(at), line.from(at));
        String hit = tryOne(lines, i, 1, halves, boundaries, depth);
        if (hit != null) {
          return hit;
        }
      }
    }
    return null;
  }

  private @Nullable String tryOne(
      List<MapsLine> lines,
      int at,
      int replaced,
      List<MapsLine> by,
      TreeSet<Long> boundaries,
      int depth) {
    List<MapsLine> changed = new ArrayList<>(lines);
    changed.subList(at, at + replaced).clear();
    changed.addAll(at, by);
    String text = text(changed);
    if (Digest.of(text).equals(expected)) {
      return text;
    }
    boolean nearer =
        Math.abs(changed.size() - expected.count()) < Math.abs(lines.size() - expected.count());
    return depth > 1 && nearer ? search(changed, boundaries, depth - 1) : null;
  }

  private static List<MapsLine> parse(String text) {
    List<MapsLine> lines = new ArrayList<>();
    for (String line : text.split("\n")) {
      lines.add(MapsLine.parse(line));
    }
    return lines;
  }

  private static String text(List<MapsLine> lines) {
    StringBuilder text = new StringBuilder();
    for (MapsLine line : lines) {
      text.append(line.text());
    }
    return text.toString();
  }
}
