// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.DeviceMemory;
import io.faultline.device.IoHandler;
import io.faultline.device.IoMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device of eight pages. Page 0 is a register, mapped alone or not at all; every seventh page is a
 * hole; the others are made when they are touched. No {@code read} tells of any of that.
 */
class Lucky implements MmapProvider, VmOperations, IoHandler {
  static final int PAGES = 8;

  private final PageAllocator allocator;
  private final long registers;
  private final Map<Long, Page> pages = new HashMap<>();
  private final AtomicLong drawn = new AtomicLong();

  Lucky(PageAllocator allocator, IoMemory io) throws ErrnoException {
    this.allocator = allocator;
    registers = io.region("draw", 1, this).frame();
  }

  static boolean isHole(long page) {
    return page >= PAGES || page % 7 == 6;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    if (request.pageOffset() == 0) {
      if (request.length() > Mman.PAGE_SIZE) {
        throw new ErrnoException(Errno.EINVAL, "length: page 0 is mapped alone");
      }
      request.remapPfnRange(request.start(), registers, request.length());
    }
    request.setOperations(this);
  }

  long page(Vma vma, long address) {
    return vma.pageOffsetOf(address);
  }

  @Override
  public synchronized Nopage nopage(Vma vma, long address, Access access) {
    long number = page(vma, address);
    if (isHole(number)) {
      return Nopage.SIGBUS;
    }
    Page page = pages.get(number);
    if (page == null) {
      try {
        page = allocator.allocate();
      } catch (ErrnoException noMemory) {
        return Nopage.OOM;
      }
      pages.put(number, page);
    }
    return Nopage.minor(page.get());
  }

  @Override
  public long read(long offset, int size) {
    return drawn.incrementAndGet();
  }

  @Override
  public void write(long offset, int size, long value) {
    // Nothing to set.
  }

  synchronized void deactivate() {
    pages.values().forEach(Page::put);
    pages.clear();
  }

  /** No bug, and all is said. */
  static class Right extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
        throws ErrnoException {
      return new Lucky(pages, io);
    }

    @Override
    protected boolean hasPage(int page) {
      return !isHole(page);
    }

    @Override
    protected boolean showsRegisters(int page) {
      return page == 0;
    }
  }

  /** No bug: nobody may write, so that the kit cannot touch the pages by filling them. */
  static class RightAndReadOnly extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
        throws ErrnoException {
      return new Lucky(pages, io) {
        @Override
        public void open(OpenFile file) throws ErrnoException {
          if (file.mode().canWrite()) {
            throw new ErrnoException(Errno.EACCES, "mode: nobody sets what is drawn");
          }
        }
      };
    }
  }

  /** A part that was split off, and a mapping of another offset, begin with the first page again. */
  static class CountsFromTheStartOfTheArea extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
        throws ErrnoException {
      return new Lucky(pages, io) {
        @Override
        long page(Vma vma, long address) {
          return (address - vma.start()) / Mman.PAGE_SIZE;
        }
      };
    }
  }

  /** No bug, but the register was not mentioned. */
  static class SaysNothingOfRegisters extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
        throws ErrnoException {
      return new Lucky(pages, io);
    }

    @Override
    protected boolean hasPage(int page) {
      return !isHole(page);
    }
  }

  /** No bug, but the holes were not mentioned. */
  static class SaysNothingOfHoles extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
        throws ErrnoException {
      return new Lucky(pages, io);
    }

    @Override
    protected OptionalInt size() {
      return OptionalInt.of(PAGES);
    }

    @Override
    protected boolean showsRegisters(int page) {
      return page == 0;
    }
  }
}
