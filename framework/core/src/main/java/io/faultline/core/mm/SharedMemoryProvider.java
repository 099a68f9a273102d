// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.memory.FrameTable;
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
import io.faultline.mm.PageMapper;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The pages of a shared-memory object: made at their first touch, kept until the last mapping is gone
 * ({@code shmem}). A driver like any other, but trusted. Thread-safe.
 */
final class SharedMemoryProvider implements MmapProvider {
  private final PhysicalMemory memory;
  private final long pages;
  private final SharedPages held;
  private final VmOperations operations;
  private final KernelObjects.Kind kind;
  private final AtomicInteger openFiles = new AtomicInteger();
  private final Consumer<Inode> released;
  private volatile boolean truncated;
  private volatile Moved moved = area -> {
  };

  SharedMemoryProvider(
      PhysicalMemory memory,
      SharedPages held,
      long length,
      KernelObjects.Kind kind,
      Consumer<Inode> released) {
    this.memory = memory;
    this.pages = (length + Mman.PAGE_SIZE - 1) >>> Mman.PAGE_SHIFT;
    this.held = held;
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
      held.clear();
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
        memory.table().set(page.frameNumber(), FrameTable.DIRTY);
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
    held.clear();
  }

  boolean isSegment() {
    return kind == KernelObjects.Kind.SYSV_SEGMENT;
  }

  /** Whether a page has been made, here or in swap. */
  boolean isMade(long index) {
    return held.isMade(index);
  }

  /** Whether a page has been made and is in memory. */
  boolean isResident(long index) {
    return held.isResident(index);
  }

  /** Empties the pages of a range, which the caller has unmapped: {@link SharedPages#punchHole}. */
  void punchHole(long firstPage, long endPage) {
    held.punchHole(firstPage, endPage);
  }

  @Nullable String swapFailure(long index) {
    return held.swapFailure(index);
  }

  void bringBack(long index) {
    held.bringBack(index);
  }

  private Nopage page(long index) {
    return truncated || Args.above(index, pages - 1) ? Nopage.SIGBUS : held.page(index);
  }

  private class Operations implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return page(vma.pageOffsetOf(address));
    }

    @Override
    public void mapPages(Vma vma, long firstPage, long lastPage, PageMapper mapper) {
      held.mapAround(vma, firstPage, Math.min(lastPage, pages - 1), mapper);
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
