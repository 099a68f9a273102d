// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.testkit.compliance.DriverCompliance;

/** The contract between kernel and driver, of which {@code /dev/zero} leaves most to the kernel. */
class ZeroComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages) {
    return new ZeroDevice();
  }
}
