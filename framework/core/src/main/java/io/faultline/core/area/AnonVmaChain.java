// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import org.jspecify.annotations.Nullable;

/**
 * An area's own anon_vma ({@code vma->anon_vma}) and the chain of all in which pages of the area may
 * stand ({@code anon_vma_chain}): after a fork, one link for each ancestor.
 *
 * <p>Changed with the address space's lock held for writing; {@link #assign} with its page-fault
 * lock.
 */
public final class AnonVmaChain {
  private static final AnonVma[] EMPTY = {};

  private volatile @Nullable AnonVma own;
  private AnonVma[] chain = EMPTY;
  private final Area area;
  /** Of the area, when the first link was made; see {@link Area#displacement}. */
  private long displacement;

  /**
   * @param area whose chain this is
   */
  AnonVmaChain(Area area) {
    this.area = area;
  }

  /** The displacement of the area's pages as its anon_vmas know it; good while there are links. */
  public long displacement() {
    return displacement;
  }

  /** The area's own anon_vma; null while no page of it was ever anonymous. */
  public @Nullable AnonVma own() {
    return own;
  }

  /** Whether there is exactly one link: false in a child whose parent had anonymous pages. */
  public boolean singular() {
    return chain.length == 1;
  }

  /** The number of links. */
  public int length() {
    return chain.length;
  }

  /** Gives an area its first anon_vma, new or a neighbour's ({@code __anon_vma_prepare}). */
  public void assign(AnonVma anonVma) {
    append(anonVma);
    anonVma.activate();
    own = anonVma;
  }

  /** Copies another area's, for a split, a move or a merge ({@code anon_vma_clone}). */
  public void copyFrom(AnonVmaChain source) {
    for (AnonVma link : source.chain) {
      append(link);
    }
    AnonVma sourceOwn = source.own;
    if (sourceOwn != null) {
      sourceOwn.activate();
      own = sourceOwn;
    }
  }

  /**
   * Makes this the chain of a child's area ({@code anon_vma_fork}): every link of the parent's, and
   * an anon_vma of its own, one left over in the chain or a new one below the parent's.
   */
  public void forkFrom(AnonVmaChain parent) {
    AnonVma parentOwn = parent.own;
    if (parentOwn == null) {
      return;
    }
    AnonVma reused = null;
    for (AnonVma link : parent.chain) {
      append(link);
      if (reused == null && link.reuse()) {
        reused = link;
      }
    }
    if (reused != null) {
      own = reused;
    } else {
      assign(new AnonVma(parentOwn));
    }
  }

  /** Drops all links ({@code unlink_anon_vmas}). */
  public void clear() {
    AnonVma mine = own;
    if (mine != null) {
      mine.deactivate();
      own = null;
    }
    for (AnonVma link : chain) {
      link.unlink(area.pid(), displacement);
    }
    chain = EMPTY;
  }

  private void append(AnonVma anonVma) {
    AnonVma[] longer = new AnonVma[chain.length + 1];
    System.arraycopy(chain, 0, longer, 0, chain.length);
    longer[chain.length] = anonVma;
    if (chain.length == 0) {
      displacement = area.displacement();
    }
    chain = longer;
    anonVma.link(area.pid(), displacement);
  }
}
