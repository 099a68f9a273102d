// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;

/** A driver whose areas are VM_RESERVED: their pages never leave memory. Thread-safe. */
final class ReservedDriver implements MmapProvider, AutoCloseable {
  static final String NAME = "pressure";

  private final List<Page> pages = new ArrayList<>();
  private final VmOperations operations = new Operations();

  /**
   * Takes its pages.
   *
   * @throws ErrnoException ENOMEM
   */
  ReservedDriver(PageAllocator allocator, int count) throws ErrnoException {
    for (int i = 0; i < count; i++) {
      pages.add(allocator.allocate());
    }
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.addFlags(VmFlag.RESERVED);
    request.setOperations(operations);
  }

  /** The frame that a page has been in from the beginning. */
  long frame(int page) {
    return pages.get(page).frameNumber();
  }

  int count() {
    return pages.size();
  }

  long bytes() {
    return pages.size() * Mman.PAGE_SIZE;
  }

  /** Gives the pages back. */
  @Override
  public void close() {
    pages.forEach(Page::put);
    pages.clear();
  }

  private final class Operations implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      long page = vma.pageOffsetOf(address);
      return page < pages.size() ? Nopage.minor(pages.get((int) page).get()) : Nopage.SIGBUS;
    }
  }
}
