// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import io.faultline.testkit.SwapDeviceSpeed;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measures; runs when it is asked for by name. */
class SwapFileSpeed {
  @Test
  void measure(@TempDir Path folder) throws IOException {
    System.out.println(SwapDeviceSpeed.of(new SwapFile(folder.resolve("swapfile"), 16384)));
  }
}
