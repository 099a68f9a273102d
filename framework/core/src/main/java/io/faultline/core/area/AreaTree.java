// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The areas of one address space, ordered by address, disjoint: {@code mm->mm_mt}.
 *
 * <p>A B+-tree, as Linux's maple tree is: wide nodes, keys in arrays of primitive longs, all areas
 * in the leaves. An entry spans a half-open range in bytes: that of an area in a leaf; in a branch
 * from the first byte of the child's first area to the end of its last one, exactly, and with it
 * the child's largest gap. So all that an entry says follows from its own child, and a change
 * touches nothing but the path from the root to its leaf (and the neighbour that a node too small
 * is joined with).
 *
 * <pre>{@code
 *  branch   starts  [ 10        | 70        | 200       |   0 | ...   ]
 *           ends    [ 60        | 150       | 290       | MAX | ...   ]   search: first end > address
 *           gaps    [ 15        | 0         | 40        |   0 | ...   ]   largest between its areas
 *           children[  o        |  o        |  o        |     |       ]
 *                      |           |           +--> ...
 *                      |           +--> ...          gaps between children: 70 - 60, 200 - 150
 *                      v
 *  leaf     starts  [ 10 | 20 | 45 |   0 | ...            ]
 *           ends    [ 20 | 30 | 60 | MAX | ...            ]   MAX: unused, above every address
 *           areas   [  o |  o |  o |     |                ]   64 entries, at least 16 but in the root
 * }</pre>
 *
 * <p><b>Search.</b> Ends are the keys, because {@code find_vma} asks for the first end above an
 * address: one search a level, no look at the area itself. The search in a node is free of branches
 * ({@link TreeNode#indexOf}). 64 entries make three levels for 60,000 areas and four for 1,000,000,
 * and three steps of four ways each are exactly six bits; 16 and 32 entries were slower.
 *
 * <p><b>Gaps.</b> Only gaps between areas are kept; those below the first and above the last area
 * follow from the limits of a search. A child whose largest gap is long enough and that lies within
 * the limits holds an answer for certain, so that a gap search goes down two wrong paths at most,
 * along its two limits.
 *
 * <p><b>Readers without the lock.</b> Writers hold the address space's lock for writing and change
 * nodes in place. {@link #find} and {@link #findAt} may run beside them: indices come out of the
 * search within bounds whatever the keys are, a node never changes its level, so that each step goes
 * one level down, and a node taken out is left to the garbage collector and never used again. So
 * they end and throw nothing; whether the answer is right {@link #unchangedSince} tells. The
 * alternative, a tree that is copied along the path on each change, would give readers a consistent
 * root without a stamp, but costs some 4 KB of garbage a change; at a million changes a second that
 * is the collector's whole attention, while a reader of a copied tree would still have to make sure
 * that the area it found is current. A stamp covers the ranges and which areas there are, nothing
 * else in an area. All other methods need the lock, for reading at least.
 */
public final class AreaTree {
  private static final VarHandle VERSION;

  static {
    try {
      VERSION = MethodHandles.lookup().findVarHandle(AreaTree.class, "version", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private TreeNode root = new TreeLeaf();
  private int size;

  /** Odd while a change is under way. Accessed through {@link #VERSION} alone. */
  @SuppressWarnings("unused") private long version;

  /**
   * The first area with {@code end > address}, or null ({@code find_vma}). May run without the lock.
   *
   * @param address in bytes, unsigned
   */
  public @Nullable Area find(long address) {
    TreeLeaf leaf = leafFor(address);
    if (leaf == null) {
      return null;
    }
    int index = leaf.indexOf(address);
    return leaf.ends[index] > address ? leaf.areas[index] : null;
  }

  /**
   * The area that holds the address, or null ({@code vma_lookup}). May run without the lock.
   *
   * @param address in bytes, unsigned
   */
  public @Nullable Area findAt(long address) {
    TreeLeaf leaf = leafFor(address);
    if (leaf == null) {
      return null;
    }
    int index = leaf.indexOf(address);
    return leaf.starts[index] <= address && leaf.ends[index] > address ? leaf.areas[index] : null;
  }

  /**
   * The leaf with the first area whose end is above the address; some leaf or null when there is
   * none. Nothing here may rely on more than the types: a writer may be at work.
   */
  private @Nullable TreeLeaf leafFor(long address) {
    if (address < 0) {
      return null;
    }
    TreeNode node = root;
    while (node instanceof TreeBranch branch) {
      node = branch.children[branch.indexOf(address)];
    }
    return (TreeLeaf) node;
  }

  /** The first area that overlaps {@code [start, end)}, or null ({@code find_vma_intersection}). */
  public @Nullable Area findIntersection(long start, long end) {
    Area area = find(start);
    return area != null && area.start < end ? area : null;
  }

  /** The last area with {@code end <= address}, or null. */
  public @Nullable Area findPrevious(long address) {
    if (address < 0 || address == TreeNode.UNUSED) {
      return root.lastArea();
    }
    TreeNode before = null;
    TreeNode node = root;
    while (node instanceof TreeBranch branch) {
      int below = branch.countAtMost(address);
      if (below == branch.count) {
        return branch.lastArea();
      }
      if (below > 0) {
        before = branch.child(below - 1);
      }
      node = branch.child(below);
    }
    TreeLeaf leaf = (TreeLeaf) node;
    int below = leaf.countAtMost(address);
    if (below > 0) {
      return leaf.areas[below - 1];
    }
    return before == null ? null : before.lastArea();
  }

  /**
   * The area behind the given one, or null.
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public @Nullable Area next(Area area) {
    TreeLeaf leaf = leafOf(area);
    return above(leaf, leaf.indexOf(area.start));
  }

  /**
   * The area before the given one, or null.
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public @Nullable Area previous(Area area) {
    TreeLeaf leaf = leafOf(area);
    return below(leaf, leaf.indexOf(area.start));
  }

  private @Nullable Area above(TreeLeaf leaf, int index) {
    return index + 1 < leaf.count ? leaf.areas[index + 1] : find(leaf.ends[index]);
  }

  private @Nullable Area below(TreeLeaf leaf, int index) {
    return index > 0 ? leaf.areas[index - 1] : findPrevious(leaf.starts[index]);
  }

  /** The lowest area, or null when there is none. */
  public @Nullable Area first() {
    return root.firstArea();
  }

  /** The highest area, or null when there is none. */
  public @Nullable Area last() {
    return root.lastArea();
  }

  /**
   * Adds an area and marks it attached. O(log n).
   *
   * @throws IllegalStateException if it is empty, lies above 2<sup>63</sup>, is in a tree already or
   *     overlaps an area; nothing has changed then
   */
  public void insert(Area area) {
    requireRange(area, area.start, area.end);
    if (area.attached()) {
      throw new IllegalStateException("in a tree already: " + area + "; remove it there first");
    }
    beginChange();
    try {
      TreeNode added = root.insert(area);
      if (added != null) {
        root = new TreeBranch(root, added);
      }
      size++;
      area.setAttached(true);
    } finally {
      endChange();
    }
  }

  /**
   * Takes an area out and marks it detached; its range stays as it is. O(log n).
   *
   * @throws IllegalStateException if the area is not in this tree
   */
  public void remove(Area area) {
    beginChange();
    try {
      root.remove(area);
      if (root instanceof TreeBranch branch && branch.count == 1) {
        root = branch.child(0);
      }
      size--;
      area.setAttached(false);
    } finally {
      endChange();
    }
  }

  /**
   * Changes the range of an area of this tree; its place in the order stays as it is. O(log n).
   *
   * @throws IllegalStateException if the area is not in this tree, or the new range is empty or
   *     overlaps a neighbour; nothing has changed then
   */
  public void resize(Area area, long newStart, long newEnd) {
    requireRange(area, newStart, newEnd);
    TreeLeaf leaf = leafOf(area);
    int index = leaf.indexOf(area.start);
    Area before = newStart < area.start ? below(leaf, index) : null;
    Area behind = newEnd > area.end ? above(leaf, index) : null;
    if (before != null && before.end > newStart) {
      throw new IllegalStateException(
          "%s cannot start at %x: %s is in the way".formatted(area, newStart, before));
    }
    if (behind != null && behind.start < newEnd) {
      throw new IllegalStateException(
          "%s cannot end at %x: %s is in the way".formatted(area, newEnd, behind));
    }
    beginChange();
    root.resize(area, newStart, newEnd);
    endChange();
  }

  /** How many areas there are ({@code mm->map_count}). */
  public int size() {
    return size;
  }

  /**
   * The end (exclusive) of the highest gap within {@code [low, high)} that has at least {@code
   * length} bytes there, or -1 ({@code mas_empty_area_rev}). O(log n).
   *
   * @param low not negative
   * @param high not negative
   * @param length positive
   */
  public long highestGapEnd(long low, long high, long length) {
    requireGap(low, high, length);
    Area first = root.firstArea();
    Area last = root.lastArea();
    if (first == null || last == null) {
      return high - low >= length ? high : -1;
    }
    if (high - Math.max(last.end, low) >= length) {
      return high;
    }
    long between = root.highestGapEnd(low, high, length);
    if (between >= 0) {
      return between;
    }
    long gapEnd = Math.min(first.start, high);
    return gapEnd - low >= length ? gapEnd : -1;
  }

  /**
   * The start of the lowest gap within {@code [low, high)} that has at least {@code length} bytes
   * there, or -1 ({@code mas_empty_area}). O(log n).
   *
   * @param low not negative
   * @param high not negative
   * @param length positive
   */
  public long lowestGapStart(long low, long high, long length) {
    requireGap(low, high, length);
    Area first = root.firstArea();
    Area last = root.lastArea();
    if (first == null || last == null || Math.min(first.start, high) - low >= length) {
      return high - low >= length ? low : -1;
    }
    long between = root.lowestGapStart(low, high, length);
    if (between >= 0) {
      return between;
    }
    long gapStart = Math.max(last.end, low);
    return high - gapStart >= length ? gapStart : -1;
  }

  /** Visits all areas in ascending order. The visitor must not change the tree. */
  public void forEach(Consumer<? super Area> visitor) {
    root.forEach(visitor);
  }

  /** An immutable list of all areas in ascending order, for displays that go on without the lock. */
  public List<Area> snapshot() {
    Area[] all = new Area[size];
    forEach(new Consumer<>() {
      private int filled;

      @Override
      public void accept(Area area) {
        all[filled++] = area;
      }
    });
    return List.of(all);
  }

  /**
   * A stamp for {@link #unchangedSince}, to be taken before a search without the lock. Never blocks;
   * while a change is under way it is one that nothing matches.
   */
  public long stamp() {
    return (long) VERSION.getAcquire(this);
  }

  /**
   * Whether no area was added, removed or resized since the stamp was taken, and none was just then:
   * what was found in between is what a reader with the lock would have found.
   */
  public boolean unchangedSince(long stamp) {
    // Keeps the reads of the search before the second look at the version, as StampedLock does.
    VarHandle.acquireFence();
    return (stamp & 1) == 0 && (long) VERSION.getOpaque(this) == stamp;
  }

  /** Makes the version odd before anything else changes. Odd it stays if a change dies half-way. */
  private void beginChange() {
    VERSION.setOpaque(this, (long) VERSION.get(this) | 1);
    VarHandle.storeStoreFence();
  }

  private void endChange() {
    VERSION.setRelease(this, ((long) VERSION.get(this) | 1) + 1);
  }

  /**
   * Checks order, disjointness, keys against the areas' fields, gaps, fill and depth of all nodes.
   *
   * @throws IllegalStateException naming what is wrong
   */
  public void validate() {
    root.validate(true);
    if (root instanceof TreeBranch branch && branch.count < 2) {
      throw new IllegalStateException("a root with a single child");
    }
    int[] counted = {0};
    forEach(area -> counted[0]++);
    if (counted[0] != size) {
      throw new IllegalStateException("size is %d, areas are %d".formatted(size, counted[0]));
    }
    if ((stamp() & 1) != 0) {
      throw new IllegalStateException("a change was begun and not ended");
    }
  }

  /** The leaf that holds the area. */
  private TreeLeaf leafOf(Area area) {
    TreeLeaf leaf = leafFor(area.start);
    if (leaf == null || leaf.areas[leaf.indexOf(area.start)] != area) {
      throw new IllegalStateException("not in this tree: " + area);
    }
    return leaf;
  }

  private static void requireRange(Area area, long start, long end) {
    if (start < 0 || start >= end || end == TreeNode.UNUSED) {
      throw new IllegalStateException(
          "%s: [%x, %x) is empty or not an address range".formatted(area, start, end));
    }
  }

  private static void requireGap(long low, long high, long length) {
    if (low < 0 || high < 0 || length <= 0) {
      throw new IllegalArgumentException(
          "low %x and high %x must not be negative, length %x must be positive"
              .formatted(low, high, length));
    }
  }
}
