// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import io.faultline.device.MmapProvider;

class SimpleRemapComplianceTest extends SimpleCompliance {
  @Override
  MmapProvider driver(SimpleMemory memory) {
    return new SimpleRemap(memory);
  }
}
