// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import org.jspecify.annotations.Nullable;

/**
 * What the anonymous pages of one or more areas belong to, {@code struct anon_vma}: a fork hangs a
 * new one below the parent's, so that pages that only the child owns need not be looked for in the
 * parent.
 *
 * <p>Guarded by the lock of the root's family; the engine holds the address spaces' locks for writing
 * or the page-fault lock wherever it changes one.
 */
public final class AnonVma {
  private final @Nullable AnonVma parent;
  /** Children, and for a root itself ({@code num_children}). */
  private int children;
  /** Areas whose own anon_vma this is ({@code num_active_vmas}). */
  private int activeAreas;
  /** Chain links that point here: the tree of areas of Linux. */
  private int links;

  /** A new root, or a child of the given one. */
  public AnonVma(@Nullable AnonVma parent) {
    this.parent = parent;
    if (parent == null) {
      children = 1;
    } else {
      parent.children++;
    }
  }

  void link() {
    links++;
  }

  /** Drops a link; the last one takes this out of its parent's count. */
  void unlink() {
    links--;
    if (links == 0 && parent != null) {
      parent.children--;
    }
  }

  void activate() {
    activeAreas++;
  }

  void deactivate() {
    activeAreas--;
  }

  /** Whether a fork may reuse it: no area of its own is left and at most one child. */
  boolean reusable() {
    return children < 2 && activeAreas == 0;
  }

  /** Chain links that point here. */
  public int links() {
    return links;
  }
}
