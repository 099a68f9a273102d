// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A swap device that keeps its pages in a map, and fails when it is told to. */
public final class HeapSwapDevice implements SwapDevice {
  private final String name;
  private final long slots;
  private final ConcurrentMap<Long, byte[]> pages = new ConcurrentHashMap<>();
  public final AtomicInteger reads = new AtomicInteger();
  public final AtomicInteger writes = new AtomicInteger();
  public volatile boolean failReads;
  public volatile boolean failWrites;
  public volatile boolean active;

  public HeapSwapDevice(String name, long slots) {
    this.name = name;
    this.slots = slots;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long slots() {
    return slots;
  }

  @Override
  public void swapon() {
    active = true;
    pages.clear();
  }

  @Override
  public void swapoff() {
    active = false;
  }

  @Override
  public void write(long[] slots, MemorySegment[] contents) throws IOException {
    writes.incrementAndGet();
    if (failWrites) {
      throw new IOException("told to fail");
    }
    for (int i = 0; i < slots.length; i++) {
      pages.put(slots[i], contents[i].toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Override
  public void read(long[] slots, MemorySegment[] into) throws IOException {
    reads.incrementAndGet();
    if (failReads) {
      throw new IOException("told to fail");
    }
    for (int i = 0; i < slots.length; i++) {
      byte[] page = pages.get(slots[i]);
      if (page == null) {
        throw new IOException("slot " + slots[i] + " was never written");
      }
      into[i].copyFrom(MemorySegment.ofArray(page));
    }
  }

  @Override
  public void free(long[] slots) {
    for (long slot : slots) {
      pages.remove(slot);
    }
  }

  /** Pages that it keeps. */
  public int kept() {
    return pages.size();
  }
}
