// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import io.faultline.device.DeviceMemory;
import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.testkit.compliance.DriverCompliance;

/** The contract between kernel and driver. */
class FramebufferComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages, DeviceMemory memory) throws Exception {
    return new Framebuffer(memory, new Mode(64, 64, 32), 4, 1);
  }
}
