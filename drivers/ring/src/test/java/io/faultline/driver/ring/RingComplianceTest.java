// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import io.faultline.device.DeviceMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.OptionalInt;

/** The contract between kernel and driver. */
class RingComplianceTest extends DriverCompliance {
  private static final int ORDER = 4;

  @Override
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory) throws ErrnoException {
    return new Ring(memory, ORDER);
  }

  @Override
  protected OptionalInt size() {
    return OptionalInt.of(1 + 2 * (1 << ORDER));
  }

  /** Behind the control page the buffer is there twice. */
  @Override
  protected int firstViewOf(int page) {
    return page > 1 << ORDER ? page - (1 << ORDER) : page;
  }
}
