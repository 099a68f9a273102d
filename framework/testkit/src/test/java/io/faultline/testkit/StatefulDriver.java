// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A device of a few pages that hands over its pages and a number; every step of it can go wrong. */
class StatefulDriver implements MmapProvider, HandOver, VmOperations {
  static final int PAGES = 64;

  final List<String> heard = new CopyOnWriteArrayList<>();
  final AtomicInteger areas = new AtomicInteger();
  private final String name;
  private List<Page> pages = new ArrayList<>();
  private long number;

  StatefulDriver(String name) {
    this.name = name;
  }

  /** With pages, the first word of each of which says which it is. */
  StatefulDriver(String name, PageAllocator allocator) throws ErrnoException {
    this(name);
    for (int i = 0; i < PAGES; i++) {
      Page page = allocator.allocate();
      page.segment().set(ValueLayout.JAVA_LONG, 0, i);
      pages.add(page);
    }
  }

  List<Page> pages() {
    return pages;
  }

  /** As a bundle's component when it is deactivated. */
  void free() {
    pages.forEach(Page::put);
  }

  void hear(String call) throws Exception {
    heard.add(call);
  }

  private void checked(String call) throws ErrnoException {
    try {
      hear(call);
    } catch (ErrnoException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void open(OpenFile file) {
    file.setPrivateData(this);
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    byte[] text = (name + " " + number++).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    int count = (int) Math.min(text.length, target.byteSize());
    MemorySegment.copy(text, 0, target, ValueLayout.JAVA_BYTE, 0, count);
    return file.privateData() == this ? count : -1;
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) {
    return (int) source.byteSize();
  }

  @Override
  public void release(OpenFile file) {
    heard.add("release");
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
    request.setPrivateData(this);
    areas.incrementAndGet();
  }

  @Override
  public void open(Vma vma) {
    areas.incrementAndGet();
  }

  @Override
  public void close(Vma vma) {
    heard.add("close");
    areas.decrementAndGet();
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    long index = vma.pageOffsetOf(address);
    return vma.privateData() == this && index < pages.size()
        ? Nopage.minor(pages.get((int) index).get())
        : Nopage.SIGBUS;
  }

  @Override
  public void selfTest() throws Exception {
    hear("selfTest");
  }

  @Override
  public int stateVersion() {
    return 3;
  }

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    try {
      hear("saveState");
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    out.writeLong(number);
    out.writeInt(pages.size());
    for (Page page : pages) {
      out.writePage(page);
    }
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    checked("restoreState");
    if (version != 3) {
      throw new ErrnoException(Errno.EINVAL, "state: format " + version);
    }
    number = in.readLong();
    pages = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      pages.add(in.readPage());
    }
  }

  @Override
  public void adopt(OpenFile file) throws ErrnoException {
    checked("adopt file");
    file.setPrivateData(this);
  }

  @Override
  public void adopt(Adoption area) throws ErrnoException {
    checked("adopt area");
    area.setOperations(this);
    area.vma().setPrivateData(this);
    areas.incrementAndGet();
  }
}
