// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * The stretch of physical memory that both devices show. The book maps whatever physical address a
 * process asks for; here a driver may map only frames of its own, so the devices' offset 0 is the
 * first of these.
 */
@Component(service = SimpleMemory.class)
public final class SimpleMemory {
  /** log2 of the number of pages. */
  static final int ORDER = 4;

  private volatile List<Page> pages;

  /**
   * Takes the frames.
   *
   * @throws ErrnoException ENOMEM
   */
  @Activate
  public SimpleMemory(@Reference PageAllocator allocator) throws ErrnoException {
    pages = allocator.allocate(ORDER);
  }

  /** Gives the frames back. */
  @Deactivate
  public void free() {
    pages.forEach(Page::put);
  }

  void save(StateWriter out) throws IOException {
    for (Page page : pages) {
      out.writePage(page);
    }
  }

  /** Takes the frames of the version before; both devices read the same ones. */
  void restore(StateReader in) throws IOException {
    List<Page> before = pages;
    List<Page> taken = new ArrayList<>();
    for (int i = 0; i < 1 << ORDER; i++) {
      taken.add(in.readPage());
    }
    if (!taken.equals(before)) {
      pages = List.copyOf(taken);
      before.forEach(Page::put);
    }
  }

  /**
   * The frame that stands for a page of the devices, be it there or not.
   *
   * @param pageOffset in pages from the devices' beginning
   */
  long frame(long pageOffset) {
    return pages.getFirst().frameNumber() + pageOffset;
  }

  /** The page of a frame ({@code pfn_to_page}), or null where it is not ours. */
  @Nullable Page page(long frame) {
    long index = frame - pages.getFirst().frameNumber();
    return index >= 0 && index < pages.size() ? pages.get((int) index) : null;
  }
}
