// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A driver of one page, at the device's first offset, that writes down what the kernel asks of it. Not
 * thread-safe: for tests with one thread.
 */
public final class BookDriver implements MmapProvider {
  /** What the areas' operations are made of. */
  public enum Kind {
    /** open, close, nopage. */
    FULL,
    /** The same with a nopage that says that the page came from a disk. */
    SLOW,
    /** The same, and populate. */
    POPULATING,
    /** The same with a nopage that has no memory. */
    POOR,
    /** open and close only. */
    WITHOUT_NOPAGE,
    /** None at all: the area is made anonymous. */
    NONE
  }

  private final Kind kind;
  private final VmFlag[] flags;
  private final Page page;
  private final List<String> heard = new ArrayList<>();
  private int references;
  private @Nullable Object privateData;
  private @Nullable MmapRequest request;
  private @Nullable Vma seen;

  /**
   * @param pages gives the page
   * @param flags what mmap adds to an area's flags
   */
  public BookDriver(PageAllocator pages, Kind kind, VmFlag... flags) throws ErrnoException {
    this.kind = kind;
    this.flags = flags;
    this.page = pages.allocate();
  }

  /** What was heard since the last time, with the area's place given in pages from an address. */
  public List<String> take() {
    List<String> result = List.copyOf(heard);
    heard.clear();
    return result;
  }

  /** Its page. */
  public Page page() {
    return page;
  }

  /** The private data of the area that nopage was called for last. */
  public @Nullable Object privateData() {
    return privateData;
  }

  /** The request of the last mmap, which a driver must not keep. */
  public @Nullable MmapRequest request() {
    return request;
  }

  /** The area that nopage was called for last. */
  public @Nullable Vma seen() {
    return seen;
  }

  /** References to areas, as a driver of the book counts them. */
  public int references() {
    return references;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    this.request = request;
    hear("mmap", request.start(), request.end());
    request.addFlags(flags);
    request.setPrivateData(this);
    switch (kind) {
      case FULL -> request.setOperations(new Full());
      case SLOW -> request.setOperations(new Slow());
      case POOR -> request.setOperations(new Poor());
      case POPULATING -> request.setOperations(new Populating());
      case WITHOUT_NOPAGE -> request.setOperations(new Counting());
      case NONE -> request.setAnonymous();
    }
    references++;
  }

  private void hear(String call, long start, long end) {
    heard.add("%s %x-%x".formatted(call, start, end));
  }

  private class Counting implements VmOperations {
    @Override
    public void open(Vma vma) {
      hear("open", vma.start(), vma.end());
      references++;
    }

    @Override
    public void close(Vma vma) {
      hear("close", vma.start(), vma.end());
      references--;
    }
  }

  private class Full extends Counting {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      hear("nopage", address, address);
      privateData = vma.privateData();
      seen = vma;
      return vma.pageOffsetOf(address) == 0 ? Nopage.minor(page.get()) : Nopage.SIGBUS;
    }
  }

  private final class Slow extends Counting {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      hear("nopage", address, address);
      return Nopage.major(page.get());
    }
  }

  private final class Poor extends Counting {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      hear("nopage", address, address);
      return Nopage.OOM;
    }
  }

  private final class Populating extends Full {
    @Override
    public void populate(
        Vma vma,
        long address,
        long length,
        Protection protection,
        long pageOffset,
        boolean nonblock,
        PageMapper pages)
        throws ErrnoException {
      hear("populate", address, address + length);
      for (long at = address; at < address + length; at += Mman.PAGE_SIZE) {
        pages.insertPage(at, page);
      }
    }
  }
}
