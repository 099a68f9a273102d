// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link AreaTree} must answer, in the plainest way there is: a sorted list with ranges of
 * its own, walked from one end to the other by every question.
 */
final class SortedAreas {
  private record Entry(long start, long end, Area area) {}

  private final List<Entry> entries = new ArrayList<>();

  int size() {
    return entries.size();
  }

  Area get(int index) {
    return entries.get(index).area;
  }

  List<Area> areas() {
    return entries.stream().map(Entry::area).toList();
  }

  boolean overlaps(long start, long end) {
    return findIntersection(start, end) != null;
  }

  /** Whether the area at the index may have this range without leaving its place. */
  boolean fits(int index, long start, long end) {
    return start < end
        && (index == 0 || entries.get(index - 1).end <= start)
        && (index + 1 == entries.size() || entries.get(index + 1).start >= end);
  }

  void insert(Area area) {
    int index = 0;
    while (index < entries.size() && entries.get(index).start < area.start()) {
      index++;
    }
    entries.add(index, new Entry(area.start(), area.end(), area));
  }

  void remove(int index) {
    entries.remove(index);
  }

  void resize(int index, long start, long end) {
    entries.set(index, new Entry(start, end, entries.get(index).area));
  }

  @Nullable Area find(long address) {
    for (Entry entry : entries) {
      if (entry.end > address) {
        return entry.area;
      }
    }
    return null;
  }

  @Nullable Area findAt(long address) {
    return findIntersection(address, address + 1);
  }

  @Nullable Area findIntersection(long start, long end) {
    for (Entry entry : entries) {
      if (entry.start < end && start < entry.end) {
        return entry.area;
      }
    }
    return null;
  }

  @Nullable Area findPrevious(long address) {
    Area previous = null;
    for (Entry entry : entries) {
      if (entry.end <= address) {
        previous = entry.area;
      }
    }
    return previous;
  }

  long highestGapEnd(long low, long high, long length) {
    long found = -1;
    for (int i = 0; i <= entries.size(); i++) {
      if (gapEnd(i, high) - gapStart(i, low) >= length) {
        found = gapEnd(i, high);
      }
    }
    return found;
  }

  long lowestGapStart(long low, long high, long length) {
    for (int i = 0; i <= entries.size(); i++) {
      if (gapEnd(i, high) - gapStart(i, low) >= length) {
        return gapStart(i, low);
      }
    }
    return -1;
  }

  /** Start of the gap before entry {@code index}, clipped. */
  private long gapStart(int index, long low) {
    return index == 0 ? low : Math.max(entries.get(index - 1).end, low);
  }

  /** End of the gap before entry {@code index}, clipped; at or below its start if there is none. */
  private long gapEnd(int index, long high) {
    return index == entries.size() ? high : Math.min(entries.get(index).start, high);
  }
}
