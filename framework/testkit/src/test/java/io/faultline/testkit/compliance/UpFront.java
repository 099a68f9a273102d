// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A device of eight pages, all mapped by {@code mmap}, none by {@code nopage}: right, and with bugs that
 * show where {@code mmap} fails.
 */
class UpFront implements MmapProvider, VmOperations {
  static final int PAGES = 8;

  final List<Page> pages = new ArrayList<>();
  int areas;

  UpFront(PageAllocator allocator) throws ErrnoException {
    pages.addAll(allocator.allocate(3));
  }

  @Override
  public synchronized void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    checkRange(request);
    request.remapPfnRange(request.start(), firstFrame(request), request.length());
    request.setOperations(this);
    areas++;
  }

  static void checkRange(MmapRequest request) throws ErrnoException {
    long first = request.pageOffset();
    if (first >= PAGES || request.length() > (PAGES - first) * Mman.PAGE_SIZE) {
      throw new ErrnoException(Errno.EINVAL, "offset, length: there are 8 pages");
    }
  }

  long firstFrame(MmapRequest request) {
    return pages.get((int) request.pageOffset()).frameNumber();
  }

  @Override
  public synchronized void open(Vma vma) {
    areas++;
  }

  @Override
  public synchronized void close(Vma vma) {
    areas--;
  }

  synchronized void deactivate() {
    pages.forEach(Page::put);
  }

  /** No bug. */
  static class Right extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new UpFront(pages);
    }

    @Override
    protected OptionalInt areas(MmapProvider driver) {
      return OptionalInt.of(((UpFront) driver).areas);
    }

    @Override
    protected OptionalInt size() {
      return OptionalInt.of(PAGES);
    }
  }

  /** The order of the lines is wrong; where nothing fails nobody sees it. */
  static class CountsBeforeItMaps extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new UpFront(pages) {
        @Override
        public synchronized void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
          checkRange(request);
          areas++;
          request.remapPfnRange(request.start(), firstFrame(request), request.length());
          request.setOperations(this);
        }
      };
    }
  }

  static class GoesOnWhatEverRemapSays extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new UpFront(pages) {
        @Override
        public synchronized void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
          checkRange(request);
          try {
            request.remapPfnRange(request.start(), firstFrame(request), request.length());
          } catch (ErrnoException ignored) {
            // As a driver in C that does not look at what remap_pfn_range returns.
          }
          request.setOperations(this);
          areas++;
        }
      };
    }
  }

  static class StaysBusyWhenItsMmapFails extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new UpFront(pages) {
        private boolean busy;

        @Override
        public synchronized void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
          if (busy) {
            throw new ErrnoException(Errno.EBUSY, "somebody is being served");
          }
          busy = true;
          super.mmap(file, request);
          busy = false;
        }
      };
    }

    /** It is found by its count too: what is looked for here is that it refuses. */
    @Override
    protected OptionalInt areas(MmapProvider driver) {
      return OptionalInt.empty();
    }
  }

  /** No bug: pages are made when they are mapped the first time. */
  static class RightAndInserting extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Inserting(pages);
    }
  }

  static class LeaksWhatItCouldNotInsert extends Right {
    @Override
    protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
      return new Inserting(pages) {
        @Override
        void insert(MmapRequest request, long address, long number) throws ErrnoException {
          Page page = made.get(number);
          if (page == null) {
            page = allocator.allocate();
          }
          request.insertPage(address, page);
          made.put(number, page);
        }
      };
    }
  }

  private static class Inserting extends UpFront {
    final PageAllocator allocator;
    final Map<Long, Page> made = new HashMap<>();

    Inserting(PageAllocator allocator) throws ErrnoException {
      super(allocator);
      this.allocator = allocator;
    }

    @Override
    public synchronized void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      checkRange(request);
      for (long i = 0; i < request.length() / Mman.PAGE_SIZE; i++) {
        insert(request, request.start() + i * Mman.PAGE_SIZE, request.pageOffset() + i);
      }
      // What mremap would add nobody maps.
      request.addFlags(VmFlag.DONTEXPAND);
      request.setOperations(this);
      areas++;
    }

    void insert(MmapRequest request, long address, long number) throws ErrnoException {
      Page page = made.get(number);
      if (page == null) {
        page = allocator.allocate();
        made.put(number, page);
      }
      request.insertPage(address, page);
    }

    @Override
    synchronized void deactivate() {
      made.values().forEach(Page::put);
      super.deactivate();
    }
  }
}
