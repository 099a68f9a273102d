// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The accounts of 1024 consecutive frames, and which runs of them are free: a buddy system as a
 * complete binary tree, in which each node holds the largest order that can be had below it.
 *
 * <p>Made when the first of its frames is needed, so that the accounts of memory that is never used
 * cost nothing. The tree and the uses are guarded by the lock of {@link FrameAllocator}; the states
 * are atomic.
 */
final class FrameBlock {
  static final int ORDER = 10;
  static final int FRAMES = 1 << ORDER;
  static final int INDEX = FRAMES - 1;

  /** References in the low half of a frame's state, its generation in the high half. */
  static final long REFERENCES = 0xFFFF_FFFFL;
  static final long ONE_GENERATION = 1L << 32;

  private static final VarHandle STATE = MethodHandles.arrayElementVarHandle(long[].class);
  private static final byte WRITTEN = (byte) 0x80;

  private final long[] states = new long[FRAMES];
  /** Ordinal of the use, and whether the frame was handed out before. */
  private final byte[] uses = new byte[FRAMES];
  /** One more than the largest free order at or below a node; the root is 1, frames from 1024. */
  private final byte[] tree = new byte[2 * FRAMES];

  /**
   * All free.
   *
   * @param first first frame that exists
   * @param end first frame that does not, at most 1024
   */
  FrameBlock(int first, int end) {
    for (int i = first; i < end; i++) {
      tree[FRAMES + i] = 1;
    }
    for (int node = FRAMES - 1, order = 1; node > 0; node--) {
      tree[node] = joined(node, order);
      if (Integer.bitCount(node) == 1) {
        order++;
      }
    }
  }

  /** Both halves wholly free make one of the next order; else the better one counts. */
  private byte joined(int node, int order) {
    byte left = tree[2 * node];
    byte right = tree[2 * node + 1];
    return left == order && right == order ? (byte) (order + 1) : left > right ? left : right;
  }

  /** The largest order that can be had, -1 for none. */
  int largest() {
    return tree[1] - 1;
  }

  /**
   * Takes a run out of the free ones.
   *
   * <p>Precondition: {@code order <= largest()}
   *
   * @return its first frame's index in the block
   */
  int take(int order) {
    int node = 1;
    for (int o = ORDER; o > order; o--) {
      byte left = tree[2 * node];
      byte right = tree[2 * node + 1];
      // The half that fits more closely, so that large runs stay whole.
      boolean goLeft = left > order && (left <= right || right <= order);
      node = 2 * node + (goLeft ? 0 : 1);
    }
    int first = (node << order) - FRAMES;
    for (int n = node, width = 1, o = order; o >= 0; o--, n *= 2, width *= 2) {
      java.util.Arrays.fill(tree, n, n + width, (byte) 0);
    }
    for (int n = node >> 1, o = order + 1; n > 0; n >>= 1, o++) {
      tree[n] = joined(n, o);
    }
    return first;
  }

  /** Puts one frame back to the free ones. */
  void giveBack(int index) {
    int node = FRAMES + index;
    tree[node] = 1;
    for (int n = node >> 1, o = 1; n > 0; n >>= 1, o++) {
      tree[n] = joined(n, o);
    }
  }

  /** Whether the tree has the frame as free. */
  boolean isFree(int index) {
    return tree[FRAMES + index] != 0;
  }

  /**
   * Gives a frame its first reference.
   *
   * @return whether it was handed out before and has to be cleared
   */
  boolean handOut(int index, FrameUse use) {
    boolean before = (uses[index] & WRITTEN) != 0;
    uses[index] = (byte) (use.ordinal() | WRITTEN);
    STATE.setRelease(states, index, states[index] & ~REFERENCES | 1);
    return before;
  }

  void changeUse(int index, FrameUse use) {
    uses[index] = (byte) (use.ordinal() | WRITTEN);
  }

  int use(int index) {
    return uses[index] & ~WRITTEN;
  }

  long state(int index) {
    return (long) STATE.getAcquire(states, index);
  }

  boolean changeState(int index, long expected, long state) {
    return STATE.compareAndSet(states, index, expected, state);
  }

  /**
   * Checks the tree's sums.
   *
   * @param number of this block, for the message
   */
  void validate(int number) {
    for (int node = FRAMES - 1, order = 1; node > 0; node--) {
      if (tree[node] != joined(node, order)) {
        throw new IllegalStateException("block " + number + ": node " + node + " says "
            + tree[node] + ", its halves make " + joined(node, order));
      }
      if (Integer.bitCount(node) == 1) {
        order++;
      }
    }
  }
}
