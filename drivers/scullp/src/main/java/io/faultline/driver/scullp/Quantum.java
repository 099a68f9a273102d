// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The unit in which a device grows: consecutive pages.
 *
 * @param pages the pages, one reference each
 * @param bytes their contents
 * @param answer what {@code nopage} answers with where a quantum is one page; kept, so that a fault
 *     makes no object
 */
record Quantum(List<Page> pages, MemorySegment bytes, Nopage answer) {
  /**
   * A quantum of zeros.
   *
   * @throws ErrnoException ENOMEM
   */
  static Quantum allocate(PageAllocator allocator, int order) throws ErrnoException {
    return of(allocator.allocate(order), allocator);
  }

  private static Quantum of(List<Page> pages, PageAllocator allocator) {
    return new Quantum(pages, allocator.segment(pages), Nopage.minor(pages.getFirst()));
  }

  void save(StateWriter out) throws IOException {
    for (Page page : pages) {
      out.writePage(page);
    }
  }

  /** One that was saved by the version before. */
  static Quantum restore(StateReader in, PageAllocator allocator, int order) throws IOException {
    List<Page> pages = new ArrayList<>(1 << order);
    for (int i = 0; i < 1 << order; i++) {
      pages.add(in.readPage());
    }
    return of(pages, allocator);
  }

  /** The first page, with a further reference for the kernel. */
  Nopage getPage() {
    pages.getFirst().get();
    return answer;
  }

  void free() {
    pages.forEach(Page::put);
  }
}
