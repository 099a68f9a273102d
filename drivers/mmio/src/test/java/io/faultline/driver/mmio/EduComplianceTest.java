// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import io.faultline.device.DeviceMemory;
import io.faultline.device.IoMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.OptionalInt;

/** The contract between kernel and driver. */
class EduComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory, IoMemory io)
      throws ErrnoException {
    return new Edu(io, memory);
  }

  @Override
  protected boolean showsRegisters() {
    return true;
  }

  /** They tell of interrupts. */
  @Override
  protected boolean filesShowPages() {
    return false;
  }

  @Override
  protected OptionalInt size() {
    return OptionalInt.of(Edu.PAGES);
  }
}
