// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PageCache;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.kernel.KernelObjects;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The pages of a shared-memory object: made at their first touch, kept until the last mapping is gone
 * ({@code shmem}). A driver like any other, but trusted. Thread-safe.
 */
final class SharedMemoryProvider implements MmapProvider {
  private final PhysicalMemory memory;
  private final long pages;
  private final FileMapping mapping;
  private final PageCache cache;
  private final VmOperations operations;
  private final KernelObjects.Kind kind;
  private final AtomicInteger openFiles = new AtomicInteger();
  private final Consumer<Inode> released;
  private volatile boolean truncated;
  private volatile Moved moved = area -> {
  };

  SharedMemoryProvider(
      PhysicalMemory memory,
      FileMapping mapping,
      long length,
      KernelObjects.Kind kind,
      Consumer<Inode> released) {
    this.memory = memory;
    this.pages = (length + Mman.PAGE_SIZE - 1) >>> Mman.PAGE_SHIFT;
    this.mapping = mapping;
    this.cache = mapping.cache();
    // Only a System V segment counts its attachments: its areas have open and close, and so are
    // never removed by a merge.
    this.operations =
        switch (kind) {
          case SYSV_SEGMENT -> new SegmentOperations();
          case AIO_RING -> new RingOperations();
          case SHARED_MEMORY -> new Operations();
        };
    this.kind = kind;
    this.released = released;
  }

  PhysicalMemory memory() {
    return memory;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.setOperations(operations);
    if (kind == KernelObjects.Kind.AIO_RING) {
      request.addFlags(VmFlag.DONTEXPAND);
    }
  }

  @Override
  public Placement placement() {
    return Placement.SHMEM;
  }

  @Override
  public void open(OpenFile file) {
    openFiles.incrementAndGet();
  }

  @Override
  public void release(OpenFile file) {
    if (openFiles.decrementAndGet() == 0) {
      cache.clear();
      released.accept(file.inode());
    }
  }

  /** Hears of a mapping's move, and may refuse it. */
  @FunctionalInterface
  interface Moved {
    void to(Vma area) throws ErrnoException;
  }

  /**
   * Makes it the ring of a context ({@code aio_setup_ring}): all its pages are there from the
   * beginning, and the first word says which context it is.
   */
  void becomeRing(int id, Moved listener) {
    moved = listener;
    for (long index = 0; index < pages; index++) {
      Page page = page(index).page();
      if (page == null) {
        return;
      }
      if (index == 0) {
        page.segment().set(ValueLayout.JAVA_INT, 0, id);
      }
      page.put();
    }
  }

  /**
   * Brings in all pages of a range if at least one is there ({@code collapse_file}).
   *
   * @return whether one was
   */
  boolean fill(long first, long count) {
    boolean any = false;
    for (long index = first; index < first + count; index++) {
      any |= isResident(index);
    }
    for (long index = first; any && index < first + count; index++) {
      Page page = page(index).page();
      if (page != null) {
        page.put();
      }
    }
    return any;
  }

  /** Its size is 0 from now on: no page of it can be had again. */
  void truncate() {
    truncated = true;
    cache.clear();
  }

  boolean isSegment() {
    return kind == KernelObjects.Kind.SYSV_SEGMENT;
  }

  /** Whether a page has been made. */
  boolean isResident(long index) {
    return cache.get(index) != PhysicalMemory.NONE;
  }

  /**
   * Empties the pages of a range: {@code FALLOC_FL_PUNCH_HOLE}. The caller has unmapped them from the
   * area that it was called for. Linux unmaps them everywhere and frees them; here a page that is
   * still mapped, by another process or elsewhere in this one, stays and is filled with zeros, so
   * that all go on seeing the same memory.
   */
  void punchHole(long firstPage, long endPage) {
    cache.forEach(
        (index, frame) -> {
          if (index >= firstPage && index < endPage) {
            punch(index);
          }
        });
  }

  private void punch(long index) {
    long frame = cache.acquire(index);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    memory.segment(frame).fill((byte) 0);
    // Two references: the cache's and ours.
    if (memory.references(frame) == 2) {
      boolean unused = cache.remove(index);
    }
    memory.put(frame);
  }

  private Nopage page(long index) {
    if (truncated || Args.above(index, pages - 1)) {
      return Nopage.SIGBUS;
    }
    long frame = cache.acquire(index);
    if (frame == PhysicalMemory.NONE) {
      long fresh = memory.allocate(FrameUse.SHMEM);
      if (fresh == PhysicalMemory.NONE) {
        return Nopage.OOM;
      }
      memory.table().setOwner(fresh, mapping, index);
      cache.add(index, fresh);
      memory.put(fresh);
      frame = cache.acquire(index);
      if (frame == PhysicalMemory.NONE) {
        return Nopage.OOM;
      }
    }
    return Nopage.minor(memory.page(frame));
  }

  private class Operations implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return page(vma.pageOffsetOf(address));
    }
  }

  private final class RingOperations extends Operations {
    @Override
    public void mremap(Vma vma) throws ErrnoException {
      moved.to(vma);
    }
  }

  private final class SegmentOperations extends Operations {
    @Override
    public void open(Vma vma) {
      // The kernel's own count of attachments is the file's reference count.
    }

    @Override
    public void close(Vma vma) {
      // As open: overridden so that merges treat the area as Linux treats shm_vm_ops.
    }
  }
}
