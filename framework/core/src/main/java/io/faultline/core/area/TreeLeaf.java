// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A leaf of an {@link AreaTree}: its entries are areas, the keys copies of their ranges. */
final class TreeLeaf extends TreeNode {
  final @Nullable Area[] areas = new Area[CAPACITY];

  /** The area at an index below {@code count}. */
  Area area(int index) {
    Area area = areas[index];
    if (area == null) {
      throw new IllegalStateException("entry %d of %d holds no area".formatted(index, count));
    }
    return area;
  }

  @Override
  @Nullable Area firstArea() {
    return areas[0];
  }

  @Override
  @Nullable Area lastArea() {
    return count == 0 ? null : areas[count - 1];
  }

  @Override
  void forEach(Consumer<? super Area> visitor) {
    for (int i = 0; i < count; i++) {
      visitor.accept(area(i));
    }
  }

  @Override
  @Nullable TreeNode insert(Area area) {
    int position = countAtMost(area.start);
    // Ends in branches are exact: the first area that ends above the start is in this leaf.
    if (position < count && starts[position] < area.end) {
      throw new IllegalStateException(
          area + " overlaps " + area(position) + "; unmap that first");
    }
    if (count < CAPACITY) {
      insertAt(position, area);
      return null;
    }
    TreeLeaf right = new TreeLeaf();
    int cut = cutFor(position);
    moveTail(cut, right);
    if (position < cut) {
      insertAt(position, area);
    } else {
      right.insertAt(position - cut, area);
    }
    return right;
  }

  private void insertAt(int index, Area area) {
    System.arraycopy(areas, index, areas, index + 1, count - index);
    openKeys(index, area.start, area.end);
    areas[index] = area;
  }

  @Override
  void remove(Area area) {
    int index = indexOf(area.start);
    if (areas[index] != area) {
      throw new IllegalStateException("not in this tree: " + area);
    }
    closeKeys(index);
    System.arraycopy(areas, index + 1, areas, index, count - index);
    areas[count] = null;
  }

  @Override
  void resize(Area area, long newStart, long newEnd) {
    setKeys(indexOf(area.start), newStart, newEnd);
    area.setRange(newStart, newEnd);
  }

  @Override
  long largestGap() {
    long largest = 0;
    for (int i = 1; i < count; i++) {
      largest = Math.max(largest, starts[i] - ends[i - 1]);
    }
    return largest;
  }

  @Override
  long highestGapEnd(long low, long high, long length) {
    for (int i = Math.min(indexOf(high), count - 1); i > 0 && starts[i] > low; i--) {
      long gapEnd = Math.min(starts[i], high);
      if (gapEnd - Math.max(ends[i - 1], low) >= length) {
        return gapEnd;
      }
    }
    return -1;
  }

  @Override
  long lowestGapStart(long low, long high, long length) {
    for (int i = Math.max(countAtMost(low) - 1, 0); i < count - 1 && ends[i] < high; i++) {
      long gapStart = Math.max(ends[i], low);
      if (Math.min(starts[i + 1], high) - gapStart >= length) {
        return gapStart;
      }
    }
    return -1;
  }

  @Override
  void moveTail(int from, TreeNode target) {
    TreeLeaf leaf = (TreeLeaf) target;
    System.arraycopy(areas, from, leaf.areas, leaf.count, count - from);
    Arrays.fill(areas, from, count, null);
    appendKeysTo(leaf, from, count - from);
    truncateKeys(from);
  }

  @Override
  void takeHead(TreeNode source, int number) {
    TreeLeaf leaf = (TreeLeaf) source;
    System.arraycopy(leaf.areas, 0, areas, count, number);
    int left = leaf.count - number;
    System.arraycopy(leaf.areas, number, leaf.areas, 0, left);
    Arrays.fill(leaf.areas, left, leaf.count, null);
    leaf.appendKeysTo(this, 0, number);
    leaf.dropHeadKeys(number);
  }

  @Override
  TreeNode emptySibling() {
    return new TreeLeaf();
  }

  @Override
  int validateEntries() {
    for (int i = 0; i < CAPACITY; i++) {
      Area area = areas[i];
      if (i >= count) {
        if (area != null) {
          throw new IllegalStateException("unused entry holds " + area);
        }
      } else if (area == null || area.start != starts[i] || area.end != ends[i]) {
        throw new IllegalStateException(
            "keys [%x, %x) are not those of %s".formatted(starts[i], ends[i], area));
      } else if (!area.attached()) {
        throw new IllegalStateException("in the tree but detached: " + area);
      }
    }
    return 1;
  }
}
