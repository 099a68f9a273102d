// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A branch of an {@link AreaTree}: its entries are nodes of the level below, each with the largest
 * gap between two areas of that child. Gaps between the areas of two children follow from the keys.
 */
final class TreeBranch extends TreeNode {
  final @Nullable TreeNode[] children = new TreeNode[CAPACITY];
  private final long[] gaps = new long[CAPACITY];

  TreeBranch() {}

  /** The root above two nodes. */
  TreeBranch(TreeNode left, TreeNode right) {
    count = 2;
    children[0] = left;
    children[1] = right;
    refresh(0);
    refresh(1);
  }

  /** The child at an index below {@code count}. */
  TreeNode child(int index) {
    TreeNode child = children[index];
    if (child == null) {
      throw new IllegalStateException("entry %d of %d has no child".formatted(index, count));
    }
    return child;
  }

  /** Brings an entry up to date with its child. */
  private void refresh(int index) {
    TreeNode child = child(index);
    setKeys(index, child.starts[0], child.ends[child.count - 1]);
    gaps[index] = child.largestGap();
  }

  @Override
  @Nullable Area firstArea() {
    return child(0).firstArea();
  }

  @Override
  @Nullable Area lastArea() {
    return child(count - 1).lastArea();
  }

  @Override
  void forEach(Consumer<? super Area> visitor) {
    for (int i = 0; i < count; i++) {
      child(i).forEach(visitor);
    }
  }

  @Override
  @Nullable TreeNode insert(Area area) {
    int index = Math.min(indexOf(area.start), count - 1);
    TreeNode added = child(index).insert(area);
    refresh(index);
    if (added == null) {
      return null;
    }
    int position = index + 1;
    if (count < CAPACITY) {
      insertAt(position, added);
      return null;
    }
    TreeBranch right = new TreeBranch();
    int cut = cutFor(position);
    moveTail(cut, right);
    if (position < cut) {
      insertAt(position, added);
    } else {
      right.insertAt(position - cut, added);
    }
    return right;
  }

  private void insertAt(int index, TreeNode child) {
    System.arraycopy(children, index, children, index + 1, count - index);
    System.arraycopy(gaps, index, gaps, index + 1, count - index);
    openKeys(index, child.starts[0], child.ends[child.count - 1]);
    children[index] = child;
    gaps[index] = child.largestGap();
  }

  @Override
  void remove(Area area) {
    int index = Math.min(indexOf(area.start), count - 1);
    TreeNode child = child(index);
    child.remove(area);
    if (child.count >= MINIMUM) {
      refresh(index);
    } else {
      fill(index);
    }
  }

  /** Joins a child that has too few entries with a neighbour, or evens the two out. */
  private void fill(int index) {
    int leftIndex = index > 0 ? index - 1 : 0;
    int rightIndex = leftIndex + 1;
    TreeNode left = child(leftIndex);
    TreeNode right = child(rightIndex);
    int together = left.count + right.count;
    if (together <= MERGED_MAXIMUM) {
      left.takeHead(right, right.count);
      closeAt(rightIndex);
    } else {
      even(leftIndex, left, right, together / 2);
    }
    refresh(leftIndex);
  }

  /** Leaves {@code half} entries in the left one of two neighbours that hold more together. */
  private void even(int leftIndex, TreeNode left, TreeNode right, int half) {
    if (left.count < half) {
      left.takeHead(right, half - left.count);
    } else {
      // Entries are only ever appended, so what moves right goes first into a new node.
      TreeNode fresh = left.emptySibling();
      left.moveTail(half, fresh);
      right.moveTail(0, fresh);
      children[leftIndex + 1] = fresh;
    }
    refresh(leftIndex + 1);
  }

  private void closeAt(int index) {
    closeKeys(index);
    System.arraycopy(children, index + 1, children, index, count - index);
    System.arraycopy(gaps, index + 1, gaps, index, count - index);
    children[count] = null;
    gaps[count] = 0;
  }

  @Override
  void resize(Area area, long newStart, long newEnd) {
    int index = indexOf(area.start);
    child(index).resize(area, newStart, newEnd);
    refresh(index);
  }

  @Override
  long largestGap() {
    long largest = gaps[0];
    for (int i = 1; i < count; i++) {
      largest = Math.max(largest, Math.max(gaps[i], starts[i] - ends[i - 1]));
    }
    return largest;
  }

  @Override
  long highestGapEnd(long low, long high, long length) {
    for (int i = Math.min(indexOf(high), count - 1); i >= 0 && ends[i] > low; i--) {
      if (gaps[i] >= length && starts[i] < high) {
        long within = child(i).highestGapEnd(low, high, length);
        if (within >= 0) {
          return within;
        }
      }
      if (i > 0) {
        long gapEnd = Math.min(starts[i], high);
        if (gapEnd - Math.max(ends[i - 1], low) >= length) {
          return gapEnd;
        }
      }
    }
    return -1;
  }

  @Override
  long lowestGapStart(long low, long high, long length) {
    for (int i = Math.max(countAtMost(low) - 1, 0); i < count && starts[i] < high; i++) {
      if (gaps[i] >= length && ends[i] > low) {
        long within = child(i).lowestGapStart(low, high, length);
        if (within >= 0) {
          return within;
        }
      }
      if (i + 1 < count) {
        long gapStart = Math.max(ends[i], low);
        if (Math.min(starts[i + 1], high) - gapStart >= length) {
          return gapStart;
        }
      }
    }
    return -1;
  }

  @Override
  void moveTail(int from, TreeNode target) {
    TreeBranch branch = (TreeBranch) target;
    int number = count - from;
    System.arraycopy(children, from, branch.children, branch.count, number);
    System.arraycopy(gaps, from, branch.gaps, branch.count, number);
    Arrays.fill(children, from, count, null);
    Arrays.fill(gaps, from, count, 0);
    appendKeysTo(branch, from, number);
    truncateKeys(from);
  }

  @Override
  void takeHead(TreeNode source, int number) {
    TreeBranch branch = (TreeBranch) source;
    System.arraycopy(branch.children, 0, children, count, number);
    System.arraycopy(branch.gaps, 0, gaps, count, number);
    int left = branch.count - number;
    System.arraycopy(branch.children, number, branch.children, 0, left);
    System.arraycopy(branch.gaps, number, branch.gaps, 0, left);
    Arrays.fill(branch.children, left, branch.count, null);
    Arrays.fill(branch.gaps, left, branch.count, 0);
    branch.appendKeysTo(this, 0, number);
    branch.dropHeadKeys(number);
  }

  @Override
  TreeNode emptySibling() {
    return new TreeBranch();
  }

  @Override
  int validateEntries() {
    int levels = child(0).validate(false);
    for (int i = 0; i < count; i++) {
      TreeNode child = child(i);
      if (i > 0 && child.validate(false) != levels) {
        throw new IllegalStateException("children of different depth");
      }
      if (starts[i] != child.starts[0] || ends[i] != child.ends[child.count - 1]) {
        throw new IllegalStateException(
            "entry [%x, %x) is not its child's span".formatted(starts[i], ends[i]));
      }
      if (gaps[i] != child.largestGap()) {
        throw new IllegalStateException(
            "gap %x of entry [%x, %x) should be %x"
                .formatted(gaps[i], starts[i], ends[i], child.largestGap()));
      }
    }
    for (int i = count; i < CAPACITY; i++) {
      if (children[i] != null || gaps[i] != 0) {
        throw new IllegalStateException("unused entry %d of %d".formatted(i, count));
      }
    }
    return levels + 1;
  }
}
