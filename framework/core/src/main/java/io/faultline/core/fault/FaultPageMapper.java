// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageProtector;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;

/** Puts pages of a driver into the page table during {@code mapPages} and {@code populate}. */
final class FaultPageMapper implements PageMapper {
  private final AddressSpace space;
  private final Area area;

  FaultPageMapper(AddressSpace space, Area area) {
    this.space = space;
    this.area = area;
  }

  @Override
  public void insertPage(long address, Page page) throws ErrnoException {
    PhysicalMemory memory = space.memory();
    long frame = memory.frameOf(page);
    if (frame == PhysicalMemory.NONE) {
      throw new ErrnoException(Errno.EINVAL, "page: is no live page of this kernel");
    }
    AreaOperations operations = area.operations();
    boolean writable =
        area.hasAny(VM_SHARED) && (operations == null || !operations.hasPageMkwrite());
    memory.get(frame);
    // As on x86, whose new entries count as used even where fault-around made them.
    long entry = Pte.of(frame, PageProtector.rights(area, writable), Pte.ACCESSED);
    if (!space.tables().compareAndSet(address, Pte.NONE, entry)) {
      memory.put(frame);
      throw new ErrnoException(
          Errno.EBUSY, "address: a page is mapped at 0x" + Long.toHexString(address));
    }
  }
}
