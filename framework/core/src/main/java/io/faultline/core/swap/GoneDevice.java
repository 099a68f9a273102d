// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.swap;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Stands for a device whose driver is gone, so that nothing of the driver is kept.
 *
 * @param name of the device
 * @param slots it had
 */
record GoneDevice(String name, long slots) implements SwapDevice {
  static final String WHY = "its driver is gone";

  @Override
  public void write(long[] to, MemorySegment[] pages) throws IOException {
    throw new IOException(WHY);
  }

  @Override
  public void read(long[] from, MemorySegment[] pages) throws IOException {
    throw new IOException(WHY);
  }
}
