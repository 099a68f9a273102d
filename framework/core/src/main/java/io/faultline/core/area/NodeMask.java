// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import java.util.Arrays;
import java.util.BitSet;

/** A set of nodes ({@code nodemask_t}). Immutable. */
public final class NodeMask {
  /** {@code MAX_NUMNODES}: one more than the highest number a node could have. */
  public static final int MAX_NODES = 1024;

  /** No node. */
  public static final NodeMask NONE = new NodeMask(new BitSet());

  private final BitSet nodes;

  private NodeMask(BitSet nodes) {
    this.nodes = nodes;
  }

  /** The nodes of words, bit 0 of the first word being node 0. */
  public static NodeMask of(long[] words) {
    return new NodeMask(BitSet.valueOf(words));
  }

  public boolean isEmpty() {
    return nodes.isEmpty();
  }

  public boolean contains(int node) {
    return nodes.get(node);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NodeMask mask && nodes.equals(mask.nodes);
  }

  @Override
  public int hashCode() {
    return nodes.hashCode();
  }

  @Override
  public String toString() {
    return Arrays.toString(nodes.stream().toArray());
  }
}
