// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.zero;

import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;
import org.osgi.service.component.annotations.Component;

/**
 * {@code /dev/full}: reads like {@code /dev/zero}, has no room for a write, not even an empty one,
 * and cannot be mapped ({@code full_fops} of Linux's {@code drivers/char/mem.c}).
 */
@Component
@Device(name = "full", major = MemoryDevices.MAJOR, minor = 7)
@RequireFaultline
public final class FullDevice implements MmapProvider, HandOver {
  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return MemoryDevices.readZeros(target);
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    throw new ErrnoException(Errno.ENOSPC, "write: " + file.inode().path() + " is always full");
  }
}
