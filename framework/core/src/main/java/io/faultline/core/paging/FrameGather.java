// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.mm.Mman;
import java.util.Arrays;

/**
 * Collects frames whose entries were cleared or replaced, and drops their references only after the
 * TLB flush: {@code mmu_gather}. For one operation of one thread; {@link #finish} may be followed by
 * the next operation.
 */
public final class FrameGather {
  /** Frames that wait at most: more are flushed and dropped in between, as Linux does. */
  private static final int BATCH = 16 * 1024;

  private final PageTables tables;
  private long[] frames = new long[16];
  private int count;
  private long start = Long.MAX_VALUE;
  private long end;

  /**
   * @param tables whose entries are cleared
   */
  public FrameGather(PageTables tables) {
    this.tables = tables;
  }

  /**
   * An entry was, or is about to be, cleared or replaced that held a reference on a frame. May be
   * called by an {@link EntryVisitor} before it answers.
   *
   * @param address of the page
   * @param frame whose reference is to be dropped
   */
  public void add(long address, long frame) {
    if (count == BATCH) {
      // Not with this one: its entry may still stand.
      finish();
    }
    touch(address);
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = frame;
  }

  /** An entry was, or is about to be, cleared or less allowed that holds no reference to drop. */
  public void touch(long address) {
    start = Math.min(start, address);
    end = Math.max(end, address + Mman.PAGE_SIZE);
  }

  /** Flushes what was touched, then drops the references. */
  public void finish() {
    if (start < end) {
      tables.flush(start, end);
      tables.memory().putAll(frames, count);
      count = 0;
      start = Long.MAX_VALUE;
      end = 0;
    }
  }
}
