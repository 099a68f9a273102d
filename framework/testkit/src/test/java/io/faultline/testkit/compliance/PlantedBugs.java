// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A driver that is right, {@link Right}, and its copies with one bug each. No test class itself: {@link
 * DriverComplianceTest} runs these.
 */
final class PlantedBugs {
  private PlantedBugs() {}

  /** As scullp: pages are made by write, what nobody wrote is a hole. Counts areas, frees at the end. */
  static class Memory implements MmapProvider {
    final PageAllocator allocator;
    final Map<Long, Page> pages = new HashMap<>();
    long size;
    int areas;

    Memory(PageAllocator allocator) {
      this.allocator = allocator;
    }

    VmOperations operations() {
      return new Operations();
    }

    synchronized @Nullable Page find(long page) {
      return pages.get(page);
    }

    synchronized Page findOrMake(long number) throws ErrnoException {
      Page page = pages.get(number);
      if (page == null) {
        page = allocator.allocate();
        pages.put(number, page);
      }
      return page;
    }

    @Override
    public synchronized int read(OpenFile file, long offset, MemorySegment target) {
      Page page = pages.get(offset >> Mman.PAGE_SHIFT);
      if (offset >= size || page == null) {
        return 0;
      }
      long at = offset % Mman.PAGE_SIZE;
      long count =
          Math.min(Math.min(target.byteSize(), size - offset), Mman.PAGE_SIZE - at);
      MemorySegment.copy(page.segment(), at, target, 0, count);
      return (int) count;
    }

    @Override
    public synchronized int write(OpenFile file, long offset, MemorySegment source)
        throws ErrnoException {
      Page page = findOrMake(offset >> Mman.PAGE_SHIFT);
      long at = offset % Mman.PAGE_SIZE;
      long count = Math.min(source.byteSize(), Mman.PAGE_SIZE - at);
      MemorySegment.copy(source, 0, page.segment(), at, count);
      size = Math.max(size, offset + count);
      return (int) count;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      if (request.pageOffset() > 1 << 20) {
        throw new ErrnoException(Errno.EINVAL, "offset: too far");
      }
      request.setOperations(operations());
      opened();
    }

    synchronized void opened() {
      areas++;
    }

    synchronized void closed() {
      areas--;
    }

    Nopage answer(Page page) {
      return Nopage.minor(page.get());
    }

    synchronized void deactivate() {
      pages.values().forEach(Page::put);
      pages.clear();
    }

    class Operations implements VmOperations {
      @Override
      public void open(Vma vma) {
        opened();
      }

      @Override
      public void close(Vma vma) {
        closed();
      }

      @Override
      public @Nullable Nopage nopage(Vma vma, long address, Access access) {
        Page page = find(vma.pageOffsetOf(address));
        return page == null ? Nopage.SIGBUS : answer(page);
      }
    }
  }

  /** The kit on a {@link Memory}. */
  abstract static class Kit extends DriverCompliance {
    @Override
    protected abstract Memory driver(PageAllocator pages);

    @Override
    protected OptionalInt areas(MmapProvider driver) {
      return OptionalInt.of(((Memory) driver).areas);
    }
  }

  /** No bug. */
  static class Right extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages);
    }
  }

  /** The published one: a hole is answered as if the page were there now, with zeros. */
  static class ZeroPageForAHole extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        private final Page zeros = PlantedBugs.allocate(allocator);

        @Override
        synchronized Page find(long page) {
          return super.pages.getOrDefault(page, zeros);
        }

        @Override
        synchronized void deactivate() {
          zeros.put();
          super.deactivate();
        }
      };
    }
  }

  /** The published one, as the kernel saw it: no page, and no refusal either. */
  static class NullForAHole extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public @Nullable Nopage nopage(Vma vma, long address, Access access) {
              Nopage answer = super.nopage(vma, address, access);
              return answer == Nopage.SIGBUS ? null : answer;
            }
          };
        }
      };
    }
  }

  /** The published one, as the process saw it: the access never comes back. */
  static class RetriesForEverForAHole extends Kit {
    @Override
    protected DeviceRegistration registration() {
      return DeviceRegistration.of("impatient").withTimeoutMillis(200);
    }

    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public @Nullable Nopage nopage(Vma vma, long address, Access access) {
              while (true) {
                Nopage answer = super.nopage(vma, address, access);
                if (answer != Nopage.SIGBUS || Thread.currentThread().isInterrupted()) {
                  return answer;
                }
              }
            }
          };
        }
      };
    }
  }

  static class ForgetsTheReference extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        Nopage answer(Page page) {
          return Nopage.minor(page);
        }
      };
    }
  }

  static class LeaksAReferenceAtEachFault extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        Nopage answer(Page page) {
          return Nopage.minor(page.get().get());
        }
      };
    }
  }

  static class ReturnsAFreedPage extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        synchronized void closed() {
          super.closed();
          Page first = super.pages.get(0L);
          if (first != null && first.referenceCount() == 1) {
            first.put();
          }
        }

        @Override
        Nopage answer(Page page) {
          return Nopage.minor(page.referenceCount() == 0 ? page : page.get());
        }

        @Override
        synchronized void deactivate() {
          super.pages.values().stream().filter(page -> page.referenceCount() > 0)
              .forEach(Page::put);
        }
      };
    }
  }

  static class ForgetsToCountOpen extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public void open(Vma vma) {}
          };
        }
      };
    }
  }

  /** Nobody can ask it for its count: what is seen is that it gives up pages that are mapped. */
  static class ForgetsToCountOpenAndFreesAtTheLastClose extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new FreesAtTheLastClose(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public void open(Vma vma) {}
          };
        }
      };
    }
  }

  /** Nobody can ask it for its count: what is seen is that it keeps pages that nobody maps. */
  static class ForgetsToCountTheCloseOfPartsAndFreesAtTheLastClose extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new FreesAtTheLastClose(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public void close(Vma vma) {
              if (vma.pageOffset() == 0) {
                closed();
              }
            }
          };
        }
      };
    }
  }

  static class FreesAtTheLastClose extends Memory {
    FreesAtTheLastClose(PageAllocator pages) {
      super(pages);
    }

    @Override
    synchronized void closed() {
      super.closed();
      if (areas == 0) {
        deactivate();
        size = 0;
      }
    }
  }

  /** No bug. */
  static class RightAndFreesAtTheLastClose extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new FreesAtTheLastClose(pages);
    }
  }

  static class CountsCloseTwice extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        synchronized void closed() {
          areas -= 2;
        }
      };
    }
  }

  static class CountsBeforeItRefuses extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
          opened();
          if (request.pageOffset() > 1 << 20) {
            throw new ErrnoException(Errno.EINVAL, "offset: too far");
          }
          request.setOperations(operations());
        }
      };
    }
  }

  static class UsesAnAreaAfterItsClose extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        private final List<Vma> all = new ArrayList<>();

        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public @Nullable Nopage nopage(Vma vma, long address, Access access) {
              all.add(vma);
              boolean first = all.getFirst().start() <= address;
              return first ? super.nopage(vma, address, access)
                  : super.nopage(vma, address, access);
            }
          };
        }
      };
    }
  }

  static class IgnoresThePageOffset extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public @Nullable Nopage nopage(Vma vma, long address, Access access) {
              Page page = find(address - vma.start() >> Mman.PAGE_SHIFT);
              return page == null ? Nopage.SIGBUS : answer(page);
            }
          };
        }
      };
    }
  }

  static class WritesToACopy extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        private final Map<Long, Page> mapped = new HashMap<>();

        @Override
        synchronized @Nullable Page find(long number) {
          Page original = super.find(number);
          if (original == null) {
            return null;
          }
          return mapped.computeIfAbsent(number, n -> {
            Page copy = PlantedBugs.allocate(allocator);
            copy.segment().copyFrom(original.segment());
            return copy;
          });
        }

        @Override
        synchronized void deactivate() {
          mapped.values().forEach(Page::put);
          super.deactivate();
        }
      };
    }
  }

  /** A device of eight pages that are made when they are touched; finding and making are two steps. */
  static class MakesPagesWithoutALock extends LazyKit {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Lazy(pages) {
        @Override
        Page page(long number) throws ErrnoException {
          Page page = find(number);
          return page == null ? make(number) : page;
        }
      };
    }
  }

  /** No bug: as above, in one step. */
  static class RightAndLazy extends LazyKit {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Lazy(pages);
    }
  }

  /** Has neither read nor write. */
  static class Lazy implements MmapProvider {
    private final PageAllocator allocator;
    private final Map<Long, Page> pages = new HashMap<>();
    private final List<Page> all = new ArrayList<>();

    Lazy(PageAllocator allocator) {
      this.allocator = allocator;
    }

    Page page(long number) throws ErrnoException {
      synchronized (this) {
        Page page = find(number);
        return page == null ? make(number) : page;
      }
    }

    @Nullable Page find(long number) {
      synchronized (pages) {
        return pages.get(number);
      }
    }

    Page make(long number) throws ErrnoException {
      Page page = allocator.allocate();
      synchronized (pages) {
        pages.put(number, page);
        all.add(page);
        return page;
      }
    }

    void deactivate() {
      all.forEach(Page::put);
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(new VmOperations() {
        @Override
        public Nopage nopage(Vma vma, long address, Access access) {
          long number = vma.pageOffsetOf(address);
          try {
            return number < 8 ? Nopage.minor(page(number).get()) : Nopage.SIGBUS;
          } catch (ErrnoException noMemory) {
            return withoutMemory();
          }
        }
      });
    }

    Nopage withoutMemory() {
      return Nopage.OOM;
    }
  }

  /** The kit on a {@link Lazy}. */
  abstract static class LazyKit extends DriverCompliance {
    @Override
    protected OptionalInt size() {
      return OptionalInt.of(8);
    }
  }

  static class ThrowsWhereThereIsNoMemory extends LazyKit {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Lazy(pages) {
        @Override
        Nopage withoutMemory() {
          throw new IllegalStateException("no memory");
        }
      };
    }
  }

  static class TakesNoMemoryForAHole extends LazyKit {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Lazy(pages) {
        @Override
        Nopage withoutMemory() {
          return Nopage.SIGBUS;
        }
      };
    }
  }

  /** As the book's drivers cannot: its next version goes on with its pages. */
  static class HandsOver extends Memory implements HandOver {
    HandsOver(PageAllocator pages) {
      super(pages);
    }

    @Override
    public synchronized void saveState(int index, StateWriter out) throws IOException {
      out.writeLong(size);
      out.writeInt(pages.size());
      for (Map.Entry<Long, Page> page : pages.entrySet()) {
        out.writeLong(page.getKey());
        out.writePage(page.getValue());
      }
    }

    @Override
    public synchronized void restoreState(int index, int version, StateReader in)
        throws IOException, ErrnoException {
      size = in.readLong();
      for (int left = in.readInt(); left > 0; left--) {
        long number = in.readLong();
        pages.put(number, in.readPage());
      }
    }

    @Override
    public void adopt(Adoption area) {
      area.setOperations(operations());
      opened();
    }
  }

  /** No bug. */
  static class RightAndHandsOver extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new HandsOver(pages);
    }
  }

  static class LosesItsPagesInAnUpgrade extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new HandsOver(pages) {
        @Override
        public synchronized void saveState(int index, StateWriter out) throws IOException {
          out.writeLong(size);
          out.writeInt(0);
        }
      };
    }
  }

  static class DoesNotCountWhatItAdopts extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new HandsOver(pages) {
        @Override
        public void adopt(Adoption area) {
          area.setOperations(operations());
        }
      };
    }
  }

  static class RefusesToAdopt extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new HandsOver(pages) {
        @Override
        public void adopt(Adoption area) {
          throw new UnsupportedOperationException("not yet");
        }
      };
    }
  }

  /** An upgrade finds nothing: there the pages are mapped already, and nobody asks for them. */
  static class BelievesThatItsPagesAreStillMapped extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new HandsOver(pages) {
        @Override
        public void adopt(Adoption area) {
          super.adopt(area);
          if (area.pagesLost()) {
            area.setOperations(new VmOperations() {
              @Override
              public void open(Vma vma) {
                opened();
              }

              @Override
              public void close(Vma vma) {
                closed();
              }
            });
          }
        }
      };
    }
  }

  /** No bug: but the JDK remembers a record's class softly once two of them were compared. */
  static class RightAndComparesRecords extends Kit {
    private record Key(Memory of, long page) {}

    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        synchronized Page findOrMake(long number) throws ErrnoException {
          if (!new Key(this, number).equals(new Key(this, number))) {
            throw new IllegalStateException("a record is not equal to its like");
          }
          return super.findOrMake(number);
        }
      };
    }
  }

  static class StaysInARegistryOfTheJvm extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Registered(pages);
    }

    private static final class Registered extends Memory {
      Registered(PageAllocator pages) {
        super(pages);
        System.getProperties().put(Registered.class.getName(), this);
      }
    }
  }

  static class KeepsItsPages extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        synchronized void deactivate() {}
      };
    }
  }

  static class ThrowsWhereItShouldAnswer extends Kit {
    @Override
    protected Memory driver(PageAllocator pages) {
      return new Memory(pages) {
        @Override
        VmOperations operations() {
          return new Operations() {
            @Override
            public @Nullable Nopage nopage(Vma vma, long address, Access access) {
              if (access == Access.WRITE) {
                throw new UnsupportedOperationException("not yet");
              }
              return super.nopage(vma, address, access);
            }
          };
        }
      };
    }
  }

  private static Page allocate(PageAllocator pages) {
    try {
      return pages.allocate();
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Two maps of eight pages, which the offset selects. No bug. */
  static class Maps implements MmapProvider {
    private static final int EACH = 8;

    private final List<Page> pages = new ArrayList<>();

    Maps(PageAllocator allocator) {
      for (int i = 0; i < 2 * EACH; i++) {
        pages.add(PlantedBugs.allocate(allocator));
      }
    }

    @Override
    public int read(OpenFile file, long offset, MemorySegment target) {
      return (int) target.fill((byte) 7).byteSize();
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      if (request.pageOffset() > 1 || request.length() > EACH * Mman.PAGE_SIZE) {
        throw new ErrnoException(Errno.EINVAL, "offset: there are maps 0 and 1, of 8 pages each");
      }
      request.addFlags(VmFlag.DONTEXPAND);
      request.setOperations(new VmOperations() {
        @Override
        public Nopage nopage(Vma vma, long address, Access access) {
          return vma.pageOffset() > 1
              ? Nopage.SIGBUS
              : Nopage.minor(pages.get(index(vma, address)).get());
        }
      });
    }

    int index(Vma vma, long address) {
      int page = (int) (vma.pageOffsetOf(address) - vma.pageOffset());
      return (int) vma.pageOffset() * EACH + page;
    }

    void deactivate() {
      pages.forEach(Page::put);
    }
  }

  /** The kit on {@link Maps}. */
  static class RightAndHasMaps extends DriverCompliance {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Maps(pages);
    }

    @Override
    protected boolean offsetSelectsMap() {
      return true;
    }

    @Override
    protected boolean filesShowPages() {
      return false;
    }
  }

  /** Takes the offset for a page, as most devices may: map 1 begins with the second page of map 0. */
  static class TakesTheMapForAPage extends RightAndHasMaps {
    @Override
    protected MmapProvider driver(PageAllocator pages) {
      return new Maps(pages) {
        @Override
        int index(Vma vma, long address) {
          return (int) vma.pageOffsetOf(address);
        }
      };
    }
  }
}
