## SPDX-License-Identifier: Apache-2.0
## Copyright the Faultline authors
package ${package};

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** {@code /dev/${artifactId}}: sixteen pages of memory that all who map them share. */
@Component(service = MmapProvider.class)
@Device(name = "${artifactId}")
@RequireFaultline
public final class ${className} implements MmapProvider, HandOver, VmOperations {
  /** 2^4 pages, one after another in physical memory. */
  private static final int ORDER = 4;

  static final int PAGES = 1 << ORDER;

  // Several threads may be in nopage at once: what they look at is written before they come.
  private volatile List<Page> pages;

  @Activate
  public ${className}(@Reference PageAllocator allocator) throws ErrnoException {
    pages = allocator.allocate(ORDER);
  }

  @Deactivate
  void deactivate() {
    pages.forEach(Page::put);
  }

  /** mmap(2): the kernel has chosen the range and makes the area, this says what its pages are. */
  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
  }

  /** A process touches a page that is not in its page table. */
  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    long page = vma.pageOffsetOf(address);
    return page < PAGES ? Nopage.minor(pages.get((int) page).get()) : Nopage.SIGBUS;
  }

  // What follows lets the next version of this driver take over while processes have it mapped.

  /** The old version hands its pages over: contents, mappings and all. */
  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    for (Page page : pages) {
      out.writePage(page);
    }
  }

  /** The new version takes them, and gives back those that its constructor allocated. */
  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    List<Page> taken = new ArrayList<>();
    for (int i = 0; i < PAGES; i++) {
      taken.add(in.readPage());
    }
    List<Page> own = pages;
    pages = List.copyOf(taken);
    own.forEach(Page::put);
  }

  /** The new version hears of each area that is mapped. */
  @Override
  public void adopt(Adoption area) {
    area.setOperations(this);
  }
}
