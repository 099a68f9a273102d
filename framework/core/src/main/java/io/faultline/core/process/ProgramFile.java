// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;

/**
 * The file behind a spawned program: its pages are all the same page of zeros, since nobody executes
 * them.
 */
final class ProgramFile implements MmapProvider, VmOperations {
  private final PhysicalMemory memory;
  private final long frame;

  ProgramFile(PhysicalMemory memory) {
    this.memory = memory;
    this.frame = memory.allocate(FrameUse.KERNEL);
    if (frame == PhysicalMemory.NONE) {
      throw new IllegalStateException("memory: too small for the kernel itself");
    }
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(this);
  }

  @Override
  public Placement placement() {
    return Placement.HUGE_PAGE;
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    OpenFile file = vma.file();
    long pages = file == null ? 0 : (file.inode().size() + Mman.PAGE_SIZE - 1) >>> Mman.PAGE_SHIFT;
    if (vma.pageOffsetOf(address) >= pages) {
      return Nopage.SIGBUS;
    }
    memory.get(frame);
    return Nopage.minor(memory.page(frame));
  }
}
