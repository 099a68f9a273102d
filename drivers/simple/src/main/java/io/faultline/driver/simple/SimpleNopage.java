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
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code /dev/simplen}: maps a page when it is touched (LDD3 p. 427 f.). */
@Component
@Device(name = "simplen")
@RequireFaultline
public final class SimpleNopage implements MmapProvider, HandOver {
  private final SimpleMemory memory;
  private final VmOperations operations = new Operations();

  /** A device that shows the given memory. */
  @Activate
  public SimpleNopage(@Reference SimpleMemory memory) {
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

  /** The area's page offset is a frame's number, and the frames are the same. */
  @Override
  public void adopt(Adoption area) {
    area.setOperations(operations);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    long frame = memory.frame(request.pageOffset());
    request.setPageOffset(frame);
    request.addFlags(VmFlag.RESERVED);
    request.setOperations(operations);
    SimpleVmOperations.logOpen(request.start(), frame);
  }

  private final class Operations extends SimpleVmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      Page page = memory.page(vma.pageOffsetOf(address));
      return page == null ? Nopage.SIGBUS : Nopage.minor(page.get());
    }
  }
}
