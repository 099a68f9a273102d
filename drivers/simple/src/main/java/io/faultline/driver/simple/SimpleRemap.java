// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code /dev/simpler}: maps all of an area's frames up front (LDD3 p. 425 f.). */
@Component
@Device(name = "simpler")
@RequireFaultline
public final class SimpleRemap implements MmapProvider, HandOver {
  private static final VmOperations OPERATIONS = new SimpleVmOperations();

  private final SimpleMemory memory;

  /** A device that shows the given memory. */
  @Activate
  public SimpleRemap(@Reference SimpleMemory memory) {
    this.memory = memory;
  }

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    memory.save(out);
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    memory.restore(in);
  }

  /** The area's page offset is a frame's number; after an upgrade the frames are the same. */
  @Override
  public void adopt(Adoption area) throws ErrnoException {
    area.setOperations(OPERATIONS);
    if (area.pagesLost()) {
      Vma vma = area.vma();
      long pages = (vma.end() - vma.start()) / Mman.PAGE_SIZE;
      if (memory.page(vma.pageOffset()) == null
          || memory.page(vma.pageOffset() + pages - 1) == null) {
        throw new ErrnoException(
            Errno.EINVAL,
            "area: frame %d on, which it shows, are not this version's"
                .formatted(vma.pageOffset()));
      }
      area.remapPfnRange(vma.start(), vma.pageOffset(), vma.end() - vma.start());
    }
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    long frame = memory.frame(request.pageOffset());
    request.setPageOffset(frame);
    request.remapPfnRange(request.start(), frame, request.length());
    request.setOperations(OPERATIONS);
    SimpleVmOperations.logOpen(request.start(), frame);
  }
}
