// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The areas of one address space, ordered by address, disjoint: {@code mm->mm_mt}.
 *
 * <p>Writers hold the address space's lock for writing. {@link #find} and {@link #findAt} may also
 * run without any lock: they end, throw nothing, and are right if {@link #unchangedSince} says so
 * afterwards.
 */
public final class AreaTree {
  private final List<Area> areas = new ArrayList<>();
  private volatile Area[] published = {};
  private volatile long version;

  /** The first area with {@code end > address}, or null ({@code find_vma}). */
  public @Nullable Area find(long address) {
    Area[] all = published;
    int index = indexOf(all, address);
    return index < all.length ? all[index] : null;
  }

  /** The area that holds the address, or null ({@code vma_lookup}). */
  public @Nullable Area findAt(long address) {
    Area area = find(address);
    return area != null && area.start <= address ? area : null;
  }

  /** The first area that overlaps {@code [start, end)}, or null ({@code find_vma_intersection}). */
  public @Nullable Area findIntersection(long start, long end) {
    Area area = find(start);
    return area != null && area.start < end ? area : null;
  }

  /** The last area with {@code end <= address}, or null. */
  public @Nullable Area findPrevious(long address) {
    Area[] all = published;
    int index = indexOf(all, address);
    return index > 0 ? all[index - 1] : null;
  }

  /**
   * The area behind the given one, or null.
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public @Nullable Area next(Area area) {
    Area[] all = published;
    int index = require(area) + 1;
    return index < all.length ? all[index] : null;
  }

  /**
   * The area before the given one, or null.
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public @Nullable Area previous(Area area) {
    Area[] all = published;
    int index = require(area) - 1;
    return index >= 0 ? all[index] : null;
  }

  /** The lowest area, or null when there is none. */
  public @Nullable Area first() {
    return areas.isEmpty() ? null : areas.get(0);
  }

  /** The highest area, or null when there is none. */
  public @Nullable Area last() {
    return areas.isEmpty() ? null : areas.get(areas.size() - 1);
  }

  /**
   * Adds an area and marks it attached.
   *
   * @throws IllegalStateException if it is empty, in a tree already, or overlaps an area
   */
  public void insert(Area area) {
    if (area.start >= area.end || area.attached()) {
      throw new IllegalStateException("empty or attached already: " + area);
    }
    Area overlapped = findIntersection(area.start, area.end);
    if (overlapped != null) {
      throw new IllegalStateException(area + " overlaps " + overlapped + ": unmap it first");
    }
    areas.add(indexOf(published, area.start), area);
    area.setAttached(true);
    publish();
  }

  /**
   * Takes an area out and marks it detached.
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public void remove(Area area) {
    areas.remove(require(area));
    area.setAttached(false);
    publish();
  }

  /**
   * Changes the range of an area of this tree; the order stays as it is.
   *
   * @throws IllegalStateException if the area is not in this tree, or the new range is empty or
   *     overlaps a neighbour
   */
  public void resize(Area area, long newStart, long newEnd) {
    int index = require(area);
    if (newStart >= newEnd
        || index > 0 && areas.get(index - 1).end > newStart
        || index + 1 < areas.size() && areas.get(index + 1).start < newEnd) {
      throw new IllegalStateException(
          "%s cannot become [%x, %x): empty or over a neighbour"
              .formatted(area, newStart, newEnd));
    }
    area.setRange(newStart, newEnd);
    version++;
  }

  /** How many areas there are. */
  public int size() {
    return areas.size();
  }

  /**
   * The end (exclusive) of the highest gap within {@code [low, high)} that has at least {@code
   * length} bytes, or -1 ({@code mas_empty_area_rev}).
   */
  public long highestGapEnd(long low, long high, long length) {
    long gapEnd = high;
    for (int index = areas.size() - 1; index >= 0; index--) {
      Area area = areas.get(index);
      if (area.start >= high) {
        continue;
      }
      if (gapEnd - Math.max(area.end, low) >= length) {
        return gapEnd;
      }
      gapEnd = area.start;
    }
    return gapEnd - low >= length ? gapEnd : -1;
  }

  /**
   * The start of the lowest gap within {@code [low, high)} that has at least {@code length} bytes,
   * or -1 ({@code mas_empty_area}).
   */
  public long lowestGapStart(long low, long high, long length) {
    long gapStart = low;
    for (Area area : areas) {
      if (area.end <= low) {
        continue;
      }
      if (Math.min(area.start, high) - gapStart >= length) {
        return gapStart;
      }
      gapStart = Math.max(gapStart, area.end);
    }
    return high - gapStart >= length ? gapStart : -1;
  }

  /** Visits all areas in ascending order. The visitor must not change the tree. */
  public void forEach(Consumer<? super Area> visitor) {
    for (Area area : published) {
      visitor.accept(area);
    }
  }

  /** An immutable list of all areas in ascending order. */
  public List<Area> snapshot() {
    return List.of(published);
  }

  /**
   * A stamp for {@link #unchangedSince}, to be taken before a search without the lock. Never blocks.
   */
  public long stamp() {
    return version;
  }

  /** Whether nothing has changed since the stamp was taken. */
  public boolean unchangedSince(long stamp) {
    return version == stamp;
  }

  /**
   * Checks order, disjointness and sizes.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    Area before = null;
    for (Area area : areas) {
      if (area.start >= area.end || !area.attached()) {
        throw new IllegalStateException("empty or detached: " + area);
      }
      if (before != null && before.end > area.start) {
        throw new IllegalStateException(before + " overlaps " + area);
      }
      before = area;
    }
  }

  private void publish() {
    published = areas.toArray(new Area[0]);
    version++;
  }

  private int require(Area area) {
    int index = indexOf(published, area.start);
    if (index == published.length || published[index] != area) {
      throw new IllegalStateException("not in this tree: " + area);
    }
    return index;
  }

  /** Index of the first area with {@code end > address}. */
  private static int indexOf(Area[] all, long address) {
    int low = 0;
    int high = all.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (all[middle].end > address) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
