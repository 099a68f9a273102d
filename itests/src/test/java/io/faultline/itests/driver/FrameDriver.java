// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;

/** Maps one frame up front, uncounted ({@code remap_pfn_range}). */
public final class FrameDriver implements MmapProvider {
  private final Page page;

  /** Shows this page. */
  public FrameDriver(Page page) {
    this.page = page;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.remapPfnRange(request.start(), page.frameNumber(), request.length());
  }
}
