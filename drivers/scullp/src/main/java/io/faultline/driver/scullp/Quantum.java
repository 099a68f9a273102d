// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
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
    List<Page> pages = allocator.allocate(order);
    return new Quantum(pages, allocator.segment(pages), Nopage.minor(pages.getFirst()));
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
