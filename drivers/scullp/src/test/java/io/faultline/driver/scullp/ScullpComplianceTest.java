// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.OptionalInt;

/** The contract between kernel and driver. */
class ScullpComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages) {
    return new Scullp(pages, new Geometry(0, 500));
  }

  @Override
  protected OptionalInt areas(MmapProvider driver) {
    return OptionalInt.of(((Scullp) driver).areas());
  }
}
