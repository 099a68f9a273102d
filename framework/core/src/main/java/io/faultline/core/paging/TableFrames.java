// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import java.util.Arrays;

/**
 * The frames that the tables of one address space stand for ({@code pte_alloc_one}): one each. The
 * tables themselves are Java objects, but they use up memory as on a real machine.
 *
 * <p>They come from the reserve that user pages leave, and never wait for reclaim: a table is made
 * with locks held that reclaim may want. Where even the reserve is used up, a table is made without a
 * frame, and the debt is told by {@link #missing}. Thread-safe.
 */
final class TableFrames {
  private final PhysicalMemory memory;
  /** Which table has which frame does not matter. Guarded by this. */
  private long[] frames = new long[8];
  private int count;
  private int missing;

  TableFrames(PhysicalMemory memory) {
    this.memory = memory;
  }

  /** One table more. */
  synchronized void add() {
    long frame = memory.allocateNow(FrameUse.PAGE_TABLE);
    if (frame == PhysicalMemory.NONE) {
      missing++;
      return;
    }
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = frame;
  }

  /** One table less. */
  synchronized void remove() {
    if (missing > 0) {
      missing--;
    } else {
      memory.put(frames[--count]);
    }
  }

  /** Frames that are held. */
  synchronized int held() {
    return count;
  }

  /** Tables that have none. */
  synchronized int missing() {
    return missing;
  }
}
