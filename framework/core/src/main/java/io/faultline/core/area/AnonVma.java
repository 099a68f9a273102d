// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.core.memory.FrameOwner;
import io.faultline.core.memory.Places;
import org.jspecify.annotations.Nullable;

/**
 * What the anonymous pages of one or more areas belong to, {@code struct anon_vma}: a fork hangs a
 * new one below the parent's, so that pages that only the child owns need not be looked for in the
 * parent.
 *
 * <p>Thread-safe: the counts of a whole family are guarded by its root. Forks and exits of different
 * processes change them at the same time.
 */
public final class AnonVma implements FrameOwner {
  private final AnonVma root;
  private final @Nullable AnonVma parent;
  /** Children, and for a root itself ({@code num_children}). */
  private int children;
  /** Areas whose own anon_vma this is ({@code num_active_vmas}). */
  private int activeAreas;
  /** Chain links that point here: the tree of areas of Linux. */
  private int links;
  private final Places places = new Places();

  /** A new root, or a child of the given one. */
  public AnonVma(@Nullable AnonVma parent) {
    this.parent = parent;
    if (parent == null) {
      root = this;
      children = 1;
    } else {
      root = parent.root;
      synchronized (root) {
        parent.children++;
      }
    }
  }

  /** The first ancestor; every area of the family has a link to it. */
  public AnonVma root() {
    return root;
  }

  @Override
  public Places places() {
    return places;
  }

  void link(int pid, long displacement) {
    synchronized (root) {
      links++;
      places.add(pid, displacement);
    }
  }

  /** Drops a link; the last one takes this out of its parent's count. */
  void unlink(int pid, long displacement) {
    synchronized (root) {
      places.remove(pid, displacement);
      links--;
      if (links == 0 && parent != null) {
        parent.children--;
      }
    }
  }

  void activate() {
    synchronized (root) {
      activeAreas++;
    }
  }

  void deactivate() {
    synchronized (root) {
      activeAreas--;
    }
  }

  /**
   * Takes it for a fork's child if it is left over: no area of its own is there any more, and at most
   * one child.
   *
   * @return whether it was, and is active now
   */
  boolean reuse() {
    synchronized (root) {
      boolean leftOver = children < 2 && activeAreas == 0;
      if (leftOver) {
        activeAreas++;
      }
      return leftOver;
    }
  }

  /** Chain links that point here. */
  public int links() {
    synchronized (root) {
      return links;
    }
  }
}
