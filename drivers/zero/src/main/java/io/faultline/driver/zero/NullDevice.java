// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import java.lang.foreign.MemorySegment;
import org.osgi.service.component.annotations.Component;

/**
 * {@code /dev/null}: always at its end, swallows what is written, cannot be mapped ({@code
 * null_fops} of Linux's {@code drivers/char/mem.c}).
 */
@Component
@Device(name = "null", major = MemoryDevices.MAJOR, minor = 3)
@RequireFaultline
public final class NullDevice implements MmapProvider, HandOver {
  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return 0;
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) {
    return MemoryDevices.swallow(source);
  }
}
