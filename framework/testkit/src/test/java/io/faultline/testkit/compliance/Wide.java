// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A device of sixty-four pages: right, and with bugs that its first pages do not show. */
class Wide implements MmapProvider, VmOperations {
  static final int PAGES = 64;

  private final List<Page> pages = new ArrayList<>();

  Wide(PageAllocator allocator) throws ErrnoException {
    pages.addAll(allocator.allocate(6));
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
  }

  long number(Vma vma, long address) {
    return vma.pageOffsetOf(address);
  }

  boolean has(long number) {
    return number < PAGES;
  }

  Page page(long number) {
    return pages.get((int) number);
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    long number = number(vma, address);
    return has(number) ? Nopage.minor(page(number).get()) : Nopage.SIGBUS;
  }

  void deactivate() {
    pages.forEach(Page::put);
  }

  /** No bug. */
  static class Right extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Wide(pages);
    }

    @Override
    protected OptionalInt size() {
      return OptionalInt.of(PAGES);
    }
  }

  /** As where a mask is a bit too short. */
  static class BeginsAnewInTheMiddle extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Wide(pages) {
        @Override
        Page page(long number) {
          return super.page(number & 31);
        }
      };
    }
  }

  /** Counts bytes in 32 bits: a page far behind the end is one of the first. */
  static class OverflowsFarBehindItsEnd extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Wide(pages) {
        @Override
        long number(Vma vma, long address) {
          int bytes = (int) (vma.pageOffsetOf(address) * Mman.PAGE_SIZE);
          return Integer.toUnsignedLong(bytes) / Mman.PAGE_SIZE;
        }
      };
    }
  }

  /** No bug: of every eight pages there is one. */
  static class RightAndSparse extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Wide(pages) {
        @Override
        boolean has(long number) {
          return isThere(number);
        }
      };
    }

    static boolean isThere(long number) {
      return number < PAGES && number % 8 == 5;
    }

    @Override
    protected boolean hasPage(int page) {
      return isThere(page);
    }
  }

  /** The stride is one short from the third page on. */
  static class MissesItsStride extends RightAndSparse {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Wide(pages) {
        @Override
        boolean has(long number) {
          return isThere(number < 21 ? number : number + 1);
        }
      };
    }
  }
}
