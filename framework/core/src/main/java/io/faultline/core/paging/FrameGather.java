// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import java.util.Arrays;

/**
 * Collects frames whose entries were cleared and drops their references only after the TLB flush,
 * {@code mmu_gather}. For one operation of one thread.
 */
public final class FrameGather {
  private final PageTables tables;
  private long[] frames = new long[32];
  private int count;
  private long start = Long.MAX_VALUE;
  private long end;

  /**
   * @param tables whose entries are cleared
   */
  public FrameGather(PageTables tables) {
    this.tables = tables;
  }

  /** An entry was cleared that held a reference on this frame. */
  public void add(long address, long frame) {
    touch(address);
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = frame;
  }

  /** An entry was cleared, or lost rights, that held no reference on a frame. */
  public void touch(long address) {
    start = Math.min(start, address);
    end = Math.max(end, address + io.faultline.mm.Mman.PAGE_SIZE);
  }

  /** Flushes what was touched, then drops the references. May be used again afterwards. */
  public void finish() {
    if (start < end) {
      tables.flush(start, end);
    }
    for (int i = 0; i < count; i++) {
      tables.memory().put(frames[i]);
    }
    count = 0;
    start = Long.MAX_VALUE;
    end = 0;
  }
}
