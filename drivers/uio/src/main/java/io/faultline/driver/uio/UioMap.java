// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.IoRegion;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.util.List;

/**
 * One of the memory regions of a device: {@code struct uio_mem}.
 *
 * @param name for people
 * @param type how it is mapped
 * @param address physical, in bytes
 * @param offset where in the first page the device's memory begins, in bytes; only told
 * @param size in bytes; 0 for a map that is not there
 * @param pages its pages, for {@link Type#LOGICAL}
 */
record UioMap(String name, Type type, long address, long offset, long size, List<Page> pages) {
  /** {@code UIO_MEM_…}. */
  enum Type {
    /** Ordinary memory, a page when it is touched: {@code UIO_MEM_LOGICAL}. */
    LOGICAL,
    /** Frames that are mapped at once: {@code UIO_MEM_PHYS}. */
    PHYSICAL
  }

  private static final long OFFSET_IN_PAGE = Mman.PAGE_SIZE - 1;

  static UioMap logical(String name, List<Page> pages, long offset) {
    return of(name, Type.LOGICAL, pages, offset);
  }

  /** One whose pages follow one another. */
  static UioMap physical(String name, List<Page> pages) {
    return of(name, Type.PHYSICAL, pages, 0);
  }

  /** Registers: they are mapped as frames are, and each access is a call. */
  static UioMap physical(IoRegion registers) {
    return new UioMap(
        registers.name(), Type.PHYSICAL, registers.frame() << Mman.PAGE_SHIFT, 0,
        registers.length(), List.of());
  }

  private static UioMap of(String name, Type type, List<Page> pages, long offset) {
    return new UioMap(
        name, type, pages.getFirst().frameNumber() << Mman.PAGE_SHIFT, offset,
        (long) pages.size() << Mman.PAGE_SHIFT, pages);
  }

  /** How many pages may be mapped: the size with what lies before it in its page, rounded up. */
  long mappablePages() {
    return (address & OFFSET_IN_PAGE) + size + OFFSET_IN_PAGE >>> Mman.PAGE_SHIFT;
  }

  /** Whether it begins with a page. */
  boolean isAligned() {
    return (address & OFFSET_IN_PAGE) == 0;
  }

  /** The number of its first frame. */
  long frame() {
    return address >>> Mman.PAGE_SHIFT;
  }
}
