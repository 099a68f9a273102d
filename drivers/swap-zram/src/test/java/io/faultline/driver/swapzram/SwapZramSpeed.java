// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import io.faultline.testkit.SwapDeviceSpeed;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Measures; runs when it is asked for by name. */
class SwapZramSpeed {
  @Test
  void measure() throws IOException {
    System.out.println(SwapDeviceSpeed.of(new SwapZram("/dev/zram0", 16384, 0)));
  }
}
