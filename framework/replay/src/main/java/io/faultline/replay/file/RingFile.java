// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;

/** The rings of {@code io_uring}: all pages are mapped up front ({@code io_region_mmap}). */
final class RingFile implements MmapProvider {
  private final FileFrame frame;

  RingFile(FileFrame frame) {
    this.frame = frame;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.addFlags(VmFlag.DONTEXPAND);
    for (long at = request.start(); at != request.end(); at += Mman.PAGE_SIZE) {
      request.insertPage(at, frame.page());
    }
  }
}
