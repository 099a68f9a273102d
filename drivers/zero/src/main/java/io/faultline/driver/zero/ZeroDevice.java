// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.device.RequireFaultline;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;
import java.lang.foreign.MemorySegment;
import org.osgi.service.component.annotations.Component;

/**
 * {@code /dev/zero}: an endless file of zeros that swallows what is written; mapped, it is fresh
 * memory ({@code zero_fops} of Linux's {@code drivers/char/mem.c}).
 */
@Component
@Device(name = "zero", major = MemoryDevices.MAJOR, minor = 5)
@RequireFaultline
public final class ZeroDevice implements MmapProvider, HandOver {
  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return MemoryDevices.readZeros(target);
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) {
    return MemoryDevices.swallow(source);
  }

  /**
   * Shared: new shared memory in the file's place. Else anonymous memory; that is also what a {@code
   * MAP_SHARED} mapping of a file opened for reading alone gets, since nobody can write what it would
   * share: the kernel has taken {@link VmFlag#SHARED} away by then and left {@link VmFlag#MAYSHARE}.
   */
  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    if (request.flags().has(VmFlag.SHARED)) {
      request.setSharedMemory();
    } else {
      request.setAnonymous();
    }
  }

  @Override
  public Placement placement() {
    return Placement.ZERO_DEVICE;
  }
}
