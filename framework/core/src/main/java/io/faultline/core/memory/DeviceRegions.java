// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import io.faultline.device.DeviceMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The regions of one driver, whatever its version: the kernel's own frames. Thread-safe. */
public final class DeviceRegions implements DeviceMemory {
  private final PhysicalMemory memory;
  private final String driver;

  // Guarded by this object's monitor.
  private final Map<String, long[]> regions = new HashMap<>();

  /**
   * @param memory where the frames come from
   * @param driver for messages
   */
  public DeviceRegions(PhysicalMemory memory, String driver) {
    this.memory = memory;
    this.driver = driver;
  }

  @Override
  public synchronized List<Page> region(String name, int pages) throws ErrnoException {
    if (pages < 1) {
      throw new ErrnoException(Errno.EINVAL, "pages: " + pages + "; give 1 or more");
    }
    long[] frames = regions.get(name);
    if (frames == null) {
      frames = allocate(name, pages);
      regions.put(name, frames);
    }
    return handles(name, frames, pages);
  }

  @Override
  public synchronized List<Page> run(String name, int order) throws ErrnoException {
    if (order < 0 || order > PhysicalMemory.MAX_ORDER) {
      throw new ErrnoException(
          Errno.EINVAL, "order: " + order + "; give 0 to " + PhysicalMemory.MAX_ORDER);
    }
    int pages = 1 << order;
    long[] frames = regions.get(name);
    if (frames == null) {
      long first = memory.allocateRun(order, FrameUse.DRIVER);
      if (first == PhysicalMemory.NONE) {
        throw noMemory(name, pages);
      }
      frames = new long[pages];
      for (int i = 0; i < pages; i++) {
        frames[i] = first + i;
      }
      regions.put(name, frames);
    }
    List<Page> handles = handles(name, frames, pages);
    for (int i = 1; i < pages; i++) {
      if (frames[i] != frames[0] + i) {
        throw new ErrnoException(
            Errno.EINVAL, "name: region " + name + " is not consecutive; it was made by region()");
      }
    }
    return handles;
  }

  private long[] allocate(String name, int pages) throws ErrnoException {
    long[] frames = new long[pages];
    for (int i = 0; i < pages; i++) {
      frames[i] = memory.allocateRun(0, FrameUse.DRIVER);
      if (frames[i] == PhysicalMemory.NONE) {
        for (int j = 0; j < i; j++) {
          memory.put(frames[j]);
        }
        throw noMemory(name, pages);
      }
    }
    return frames;
  }

  private ErrnoException noMemory(String name, int pages) {
    return new ErrnoException(
        Errno.ENOMEM, "no " + pages + " free frames for region " + name + " of " + driver);
  }

  private List<Page> handles(String name, long[] frames, int pages) throws ErrnoException {
    if (frames.length != pages) {
      throw new ErrnoException(
          Errno.EINVAL,
          "pages: region " + name + " of " + driver + " has " + frames.length + ", not " + pages);
    }
    List<Page> handles = new ArrayList<>(pages);
    for (long frame : frames) {
      // Counts what the driver takes; the reference that keeps the frame is not the driver's.
      handles.add(memory.lend(frame));
    }
    return List.copyOf(handles);
  }

  @Override
  public MemorySegment segment(List<Page> pages) {
    long first = pages.getFirst().frameNumber();
    for (int i = 0; i < pages.size(); i++) {
      if (memory.frameOf(pages.get(i)) != first + i) {
        throw new IllegalArgumentException(
            "pages: the one at index " + i + " does not follow the one before, or is freed");
      }
    }
    return memory.arena().asSlice(
        first * Mman.PAGE_SIZE, (long) pages.size() * Mman.PAGE_SIZE);
  }

  @Override
  public synchronized Set<String> regions() {
    return Set.copyOf(regions.keySet());
  }

  /** How many pages each region has. */
  public synchronized Map<String, Integer> sizes() {
    Map<String, Integer> sizes = new TreeMap<>();
    regions.forEach((name, frames) -> sizes.put(name, frames.length));
    return sizes;
  }

  @Override
  public synchronized void free(String name) {
    long[] frames = regions.remove(name);
    if (frames != null) {
      for (long frame : frames) {
        memory.put(frame);
      }
    }
  }

  /** Whether a region has the frame. */
  public synchronized boolean has(long frame) {
    for (long[] frames : regions.values()) {
      for (long each : frames) {
        if (each == frame) {
          return true;
        }
      }
    }
    return false;
  }
}
