// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.core.jfr.SwapOutEvent;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;

/** Writes pages to one device; confined to one thread. Closing it lets others write. */
public final class SwapWriter implements AutoCloseable {
  private final SwapSpace swap;
  private final PhysicalMemory memory;
  private final FrameTable frames;
  private final SwapArea area;

  /**
   * @param area locked by this thread
   */
  SwapWriter(SwapSpace swap, PhysicalMemory memory, SwapArea area) {
    this.swap = swap;
    this.memory = memory;
    this.frames = memory.table();
    this.area = area;
  }

  /**
   * Takes a slot and lets the frame, which is locked, stand for it.
   *
   * @return {@link SwapEntry#NONE} when the device is full or being switched off
   */
  public long take(long frame) {
    long entry = area.take();
    if (entry != SwapEntry.NONE) {
      swap.addTaken(entry, frame);
    }
    return entry;
  }

  /** Whether an entry is of this device. */
  public boolean isHere(long entry) {
    return SwapEntry.type(entry) == area.type();
  }

  /**
   * Writes frames to the slots that they stand for.
   *
   * @param count how many of the frames count; all are locked
   * @throws IOException when not all were kept
   */
  public void write(long[] dirty, int count) throws IOException {
    Long[] order = new Long[count];
    for (int i = 0; i < count; i++) {
      order[i] = dirty[i];
    }
    Arrays.sort(order, Comparator.comparingLong(frames::swapEntry));
    long[] slots = new long[count];
    MemorySegment[] pages = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      slots[i] = SwapEntry.offset(frames.swapEntry(order[i]));
      pages[i] = memory.segment(order[i]).asReadOnly();
    }
    SwapOutEvent event = SwapOutEvent.start();
    String failure = null;
    try {
      area.write(slots, pages);
    } catch (IOException e) {
      failure = String.valueOf(e.getMessage());
      throw e;
    } finally {
      if (event != null) {
        event.finish(area.name(), slots[0], count, failure);
      }
    }
  }

  @Override
  public void close() {
    area.writing().unlock();
  }
}
