// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * As {@link StampDriver}, and takes over from another version; with its version's qualifier it says
 * at what it fails: {@code selftest}, {@code refuses}, {@code leaks} a reference at each fault.
 */
final class HandStamp implements MmapProvider, HandOver, VmOperations {
  private final Page page;
  private final String qualifier;

  HandStamp(Page page, String stamp, String qualifier) {
    this.page = page;
    this.qualifier = qualifier;
    page.segment().copyFrom(MemorySegment.ofArray(stamp.getBytes(StandardCharsets.US_ASCII)));
  }

  @Override
  public void selfTest() {
    if (qualifier.equals("selftest")) {
      throw new IllegalStateException("the self-test of this version fails");
    }
  }

  @Override
  public void adopt(Adoption area) throws ErrnoException {
    if (qualifier.equals("refuses") && area.vma().pageOffset() == 1) {
      throw new ErrnoException(Errno.EBUSY, "not the area of page 1");
    }
    area.setOperations(this);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
  }

  /** Nothing to do; the kernel's trace tells that it was called. */
  @Override
  public void close(Vma vma) {}

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    if (qualifier.equals("leaks")) {
      Page unused = page.get();
    }
    return Nopage.minor(page.get());
  }
}
