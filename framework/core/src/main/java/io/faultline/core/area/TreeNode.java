// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A node of an {@link AreaTree}: up to {@link #CAPACITY} entries, ascending and disjoint. An entry
 * spans {@code [starts[i], ends[i])}: an area in a leaf, all areas beneath a child in a branch.
 *
 * <p>Slots from {@code count} on hold {@link #UNUSED} as end and nothing else, so that a search need
 * not know {@code count}. A node stays on its level, a leaf or a branch, for life.
 */
abstract sealed class TreeNode permits TreeLeaf, TreeBranch {
  /** Entries of a full node. {@link #indexOf} is written for exactly this number. */
  static final int CAPACITY = 64;

  /** Entries that any node but the root has at least. */
  static final int MINIMUM = CAPACITY / 4;

  /** Two neighbours become one node when they hold no more than this together: room to grow. */
  static final int MERGED_MAXIMUM = CAPACITY * 3 / 4;

  /** The end of an unused entry: above every address. */
  static final long UNUSED = Long.MAX_VALUE;

  final long[] starts = new long[CAPACITY];
  final long[] ends = new long[CAPACITY];
  int count;

  /**
   * The last end of each quarter of {@link #ends} but the last. Here they come with the node's
   * header in one cache line, so that a search touches no more than two lines of the keys.
   */
  private long firstQuarter = UNUSED;

  private long secondQuarter = UNUSED;
  private long thirdQuarter = UNUSED;

  TreeNode() {
    Arrays.fill(ends, UNUSED);
  }

  /** The first area beneath, null in the leaf of an empty tree. */
  abstract @Nullable Area firstArea();

  /** The last area beneath, null in the leaf of an empty tree. */
  abstract @Nullable Area lastArea();

  /** Visits all areas beneath, ascending. */
  abstract void forEach(Consumer<? super Area> visitor);

  /**
   * Adds an area; returns the new right neighbour if this node had to split.
   *
   * @throws IllegalStateException if it overlaps another; nothing has changed then
   */
  abstract @Nullable TreeNode insert(Area area);

  /**
   * Removes an area; may leave this node with fewer than {@link #MINIMUM}.
   *
   * @throws IllegalStateException if the area is not here; nothing has changed then
   */
  abstract void remove(Area area);

  /** Changes the range of an area beneath this node; its new range overlaps none. */
  abstract void resize(Area area, long newStart, long newEnd);

  /** The largest gap between two neighbouring areas beneath, in bytes; 0 if there is none. */
  abstract long largestGap();

  /**
   * End of the highest gap between two areas beneath, clipped to {@code [low, high)}, of at least
   * {@code length} bytes, or -1.
   */
  abstract long highestGapEnd(long low, long high, long length);

  /** Start of the lowest such gap, or -1. */
  abstract long lowestGapStart(long low, long high, long length);

  /** Moves the entries from {@code from} on to the end of a node of the same level. */
  abstract void moveTail(int from, TreeNode target);

  /** Moves the first {@code number} entries of a node of the same level to the end of this one. */
  abstract void takeHead(TreeNode source, int number);

  /** A new empty node of this one's level. */
  abstract TreeNode emptySibling();

  /**
   * Index of the first entry with {@code end > address}. Of a full node whose ends are all at or
   * below the address the last one: where that can be, the caller looks at its end.
   *
   * <p>Without branches, because the outcome of a comparison in a search cannot be predicted: a
   * wrong guess costs more than the whole sum. Three ends tell which 16 entries, three more which
   * four, three more which one; the comparisons of a step do not wait for each other. The result is
   * within bounds whatever the keys are, even while a writer changes them.
   *
   * @param address not negative
   */
  final int indexOf(long address) {
    int base =
        (atMost(firstQuarter, address)
            + atMost(secondQuarter, address)
            + atMost(thirdQuarter, address))
            << 4;
    long[] keys = ends;
    base +=
        (atMost(keys[base + 3], address)
            + atMost(keys[base + 7], address)
            + atMost(keys[base + 11], address))
            << 2;
    return base
        + atMost(keys[base], address)
        + atMost(keys[base + 1], address)
        + atMost(keys[base + 2], address);
  }

  /** 1 if {@code end <= address}, else 0; both are not negative. */
  private static int atMost(long end, long address) {
    return (int) ((end - address - 1) >>> (Long.SIZE - 1));
  }

  /** How many entries have {@code end <= address}. */
  final int countAtMost(long address) {
    int index = indexOf(address);
    return ends[index] <= address ? index + 1 : index;
  }

  /**
   * Where to cut a full node that gets one more entry at {@code position}. In the middle; but an
   * insertion near one side is taken for a run in that direction, as mmap makes them downwards and
   * fork upwards, and the side that will not grow any more keeps three quarters.
   */
  static int cutFor(int position) {
    if (position <= MINIMUM) {
      return MINIMUM;
    }
    return position >= CAPACITY - MINIMUM ? CAPACITY - MINIMUM : CAPACITY / 2;
  }

  /** Makes room for an entry and sets its keys. */
  final void openKeys(int index, long start, long end) {
    System.arraycopy(starts, index, starts, index + 1, count - index);
    System.arraycopy(ends, index, ends, index + 1, count - index);
    count++;
    setKeys(index, start, end);
  }

  /** Sets the keys of an entry. */
  final void setKeys(int index, long start, long end) {
    starts[index] = start;
    ends[index] = end;
    endsChanged();
  }

  /** Takes an entry out. */
  final void closeKeys(int index) {
    count--;
    System.arraycopy(starts, index + 1, starts, index, count - index);
    System.arraycopy(ends, index + 1, ends, index, count - index);
    starts[count] = 0;
    ends[count] = UNUSED;
    endsChanged();
  }

  /** Copies keys to the end of another node, which counts them. */
  final void appendKeysTo(TreeNode target, int from, int number) {
    System.arraycopy(starts, from, target.starts, target.count, number);
    System.arraycopy(ends, from, target.ends, target.count, number);
    target.count += number;
    target.endsChanged();
  }

  /** Drops the keys from {@code from} on. */
  final void truncateKeys(int from) {
    Arrays.fill(starts, from, count, 0);
    Arrays.fill(ends, from, count, UNUSED);
    count = from;
    endsChanged();
  }

  /** Drops the first {@code number} keys. */
  final void dropHeadKeys(int number) {
    int left = count - number;
    System.arraycopy(starts, number, starts, 0, left);
    System.arraycopy(ends, number, ends, 0, left);
    truncateKeys(left);
  }

  private void endsChanged() {
    firstQuarter = ends[CAPACITY / 4 - 1];
    secondQuarter = ends[CAPACITY / 2 - 1];
    thirdQuarter = ends[CAPACITY * 3 / 4 - 1];
  }

  /**
   * Checks this node and all beneath.
   *
   * @return how many levels there are from here down, 1 for a leaf
   * @throws IllegalStateException naming what is wrong
   */
  final int validate(boolean root) {
    if (count > CAPACITY || !root && count < MINIMUM) {
      throw new IllegalStateException("node with " + count + " entries");
    }
    for (int i = 0; i < CAPACITY; i++) {
      if (i >= count) {
        if (starts[i] != 0 || ends[i] != UNUSED) {
          throw new IllegalStateException("unused entry %d of %d has keys".formatted(i, count));
        }
      } else if (starts[i] >= ends[i] || i > 0 && starts[i] < ends[i - 1]) {
        throw new IllegalStateException(
            "entry %d [%x, %x) is empty or not behind the one before it"
                .formatted(i, starts[i], ends[i]));
      }
    }
    if (firstQuarter != ends[CAPACITY / 4 - 1]
        || secondQuarter != ends[CAPACITY / 2 - 1]
        || thirdQuarter != ends[CAPACITY * 3 / 4 - 1]) {
      throw new IllegalStateException("the quarters' ends are not those of the entries");
    }
    return validateEntries();
  }

  /** Checks the entries against what is beneath; returns the number of levels. */
  abstract int validateEntries();
}
