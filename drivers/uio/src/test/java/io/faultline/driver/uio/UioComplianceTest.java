// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.DeviceMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.List;

/** The contract between kernel and driver. */
class UioComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory) throws ErrnoException {
    return new Uio(
        new UioDevice(
            memory,
            List.of(
                UioMap.logical("logical", memory.region("logical", 16), 0),
                UioMap.physical("physical", memory.run("physical", 4)),
                UioMap.logical("short", memory.region("short", 2), 0))),
        0);
  }

  @Override
  protected boolean offsetSelectsMap() {
    return true;
  }

  /** They are for interrupts. */
  @Override
  protected boolean filesShowPages() {
    return false;
  }
}
