// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Area;
import io.faultline.device.OpenFile;
import io.faultline.mm.VmFlags;
import io.faultline.mm.Vma;
import org.jspecify.annotations.Nullable;

/**
 * An area as it was at one moment. The driver's private data is not shown: it is the driver's.
 */
record VmaSnapshot(
    int pid, long start, long end, long pageOffset, VmFlags flags, @Nullable OpenFile file)
    implements Vma {
  static VmaSnapshot of(Area area) {
    return new VmaSnapshot(
        area.pid(), area.start(), area.end(), area.pageOffset(), area.flags(), area.file());
  }

  @Override
  public @Nullable Object privateData() {
    return null;
  }

  @Override
  public void setPrivateData(@Nullable Object data) {
    throw new UnsupportedOperationException("a snapshot of an area cannot be changed");
  }
}
