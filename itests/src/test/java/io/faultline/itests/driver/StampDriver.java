// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Access;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** One page with a text in it, at every offset. */
final class StampDriver implements MmapProvider, VmOperations {
  private final Page page;

  StampDriver(Page page, String stamp) {
    this.page = page;
    page.segment().copyFrom(MemorySegment.ofArray(stamp.getBytes(StandardCharsets.US_ASCII)));
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    return Nopage.minor(page.get());
  }
}
