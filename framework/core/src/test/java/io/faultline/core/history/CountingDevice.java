// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;

/** A device with a few pages that counts its areas, as the book's scullp does. */
final class CountingDevice implements MmapProvider {
  /** Few, so that mappings reach behind the end. */
  static final int PAGES = 8;

  private final List<Page> pages = new ArrayList<>();
  private final VmOperations operations;
  /** Areas made by mmap, fork, split and move, less those closed. */
  int areas;

  /**
   * @param counting whether it has {@code open} and {@code close}, which changes how areas merge
   */
  CountingDevice(PageAllocator allocator, boolean counting) throws ErrnoException {
    for (int i = 0; i < PAGES; i++) {
      pages.add(allocator.allocate());
    }
    operations = counting ? new Counting() : new Plain();
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(operations);
    areas++;
  }

  private class Plain implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      long index = vma.pageOffsetOf(address);
      return index < PAGES ? Nopage.minor(pages.get((int) index).get()) : Nopage.SIGBUS;
    }
  }

  private final class Counting extends Plain {
    @Override
    public void open(Vma vma) {
      areas++;
    }

    @Override
    public void close(Vma vma) {
      areas--;
    }
  }
}
