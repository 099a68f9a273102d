// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One memory device: {@code struct scullp_dev}. It is as long as what was written to it; quanta that
 * nobody wrote are holes.
 *
 * <p>Thread-safe: every method takes the device's own lock (the book's semaphore), under which only
 * {@link PageAllocator} is called.
 */
final class ScullpDevice {
  /** No set has this number. */
  private static final long END = -1;

  private final PageAllocator allocator;

  /** By number. The book has a list; a map does not have to walk it, nor to fill it up. */
  private final Map<Long, @Nullable Quantum[]> sets = new HashMap<>();

  private Geometry geometry;

  /** In bytes. */
  private long size;

  /** Areas that map the device. */
  private int vmas;

  ScullpDevice(PageAllocator allocator, Geometry geometry) {
    this.allocator = allocator;
    this.geometry = geometry;
  }

  /**
   * Empties the device and gives it another geometry, unless it is mapped.
   *
   * @throws ErrnoException EBUSY when it is mapped
   */
  synchronized void trim(Geometry next) throws ErrnoException {
    if (vmas > 0) {
      throw new ErrnoException(Errno.EBUSY, "trim: " + vmas + " areas map the device");
    }
    free();
    geometry = next;
  }

  /** Empties the device; pages that are still mapped live on until they are unmapped. */
  synchronized void free() {
    for (@Nullable Quantum[] set : sets.values()) {
      for (Quantum quantum : set) {
        if (quantum != null) {
          quantum.free();
        }
      }
    }
    sets.clear();
    size = 0;
  }

  synchronized long size() {
    return size;
  }

  /**
   * Reads up to the end of a quantum; a hole is not filled.
   *
   * @return the number of bytes; 0 in a hole and at the end
   */
  synchronized int read(long position, MemorySegment target) {
    Quantum quantum = position < size ? find(position) : null;
    if (quantum == null) {
      return 0;
    }
    long inQuantum = geometry.offsetInQuantum(position);
    long count = Math.min(Math.min(target.byteSize(), size - position),
        geometry.quantum() - inQuantum);
    MemorySegment.copy(quantum.bytes(), inQuantum, target, 0, count);
    return (int) count;
  }

  /**
   * Writes up to the end of a quantum.
   *
   * @return the number of bytes
   * @throws ErrnoException ENOMEM
   */
  synchronized int write(long position, MemorySegment source) throws ErrnoException {
    Quantum quantum = findOrAllocate(position);
    long inQuantum = geometry.offsetInQuantum(position);
    long count = Math.min(source.byteSize(), geometry.quantum() - inQuantum);
    MemorySegment.copy(source, 0, quantum.bytes(), inQuantum, count);
    size = Math.max(size, position + count);
    return (int) count;
  }

  /**
   * The first reference to an area of the device.
   *
   * @throws ErrnoException ENODEV when a quantum is not one page: in the book's kernel only the first
   *     page of an allocation is counted, so that the others cannot be mapped one by one
   */
  synchronized void mapped() throws ErrnoException {
    if (geometry.order() != 0) {
      throw new ErrnoException(Errno.ENODEV,
          "fd: scullp can be mapped only with order 0, and has order " + geometry.order());
    }
    vmas++;
  }

  /** How many areas map it. */
  synchronized int vmas() {
    return vmas;
  }

  /** One more reference. */
  synchronized void opened() {
    vmas++;
  }

  /** A reference is gone. */
  synchronized void closed() {
    vmas--;
  }

  /**
   * The page at an offset in pages, with a reference for the kernel; SIGBUS in a hole and behind the
   * end.
   */
  synchronized Nopage nopage(long pageOffset) {
    // Mapped, the device has order 0, and keeps it: trim refuses.
    if (pageOffset > (size - 1) >> Mman.PAGE_SHIFT) {
      return Nopage.SIGBUS;
    }
    Quantum quantum = find(pageOffset << Mman.PAGE_SHIFT);
    return quantum == null ? Nopage.SIGBUS : quantum.getPage();
  }

  /** Writes the device down: geometry, size, and each quantum with its place. */
  synchronized void save(StateWriter out) throws IOException {
    out.writeInt(geometry.order());
    out.writeInt(geometry.qset());
    out.writeLong(size);
    for (Map.Entry<Long, @Nullable Quantum[]> entry : sets.entrySet()) {
      @Nullable Quantum[] set = entry.getValue();
      for (int i = 0; i < set.length; i++) {
        Quantum quantum = set[i];
        if (quantum != null) {
          out.writeLong(entry.getKey());
          out.writeInt(i);
          quantum.save(out);
        }
      }
    }
    out.writeLong(END);
  }

  /** Becomes the device that was written down; nobody maps this one yet. */
  synchronized void restore(StateReader in) throws IOException {
    geometry = new Geometry(in.readInt(), in.readInt());
    size = in.readLong();
    for (long set = in.readLong(); set != END; set = in.readLong()) {
      sets.computeIfAbsent(set, number -> new @Nullable Quantum[geometry.qset()])[in.readInt()] =
          Quantum.restore(in, allocator, geometry.order());
    }
  }

  private @Nullable Quantum find(long position) {
    @Nullable Quantum[] set = sets.get(geometry.set(position));
    return set == null ? null : set[geometry.indexInSet(position)];
  }

  private Quantum findOrAllocate(long position) throws ErrnoException {
    @Nullable Quantum[] set = sets.computeIfAbsent(geometry.set(position),
        number -> new @Nullable Quantum[geometry.qset()]);
    int index = geometry.indexInSet(position);
    Quantum quantum = set[index];
    if (quantum == null) {
      quantum = Quantum.allocate(allocator, geometry.order());
      set[index] = quantum;
    }
    return quantum;
  }
}
