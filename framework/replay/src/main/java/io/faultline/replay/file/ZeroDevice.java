// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;

/**
 * {@code /dev/zero} ({@code mmap_zero}), so that a recording replays with no driver installed: a
 * shared mapping becomes an object of shared memory, a private one anonymous memory.
 */
final class ZeroDevice implements MmapProvider {
  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    if (request.flags().has(VmFlag.SHARED)) {
      request.setSharedMemory();
    } else {
      request.setAnonymous();
    }
  }

  @Override
  public Placement placement() {
    return Placement.ZERO_DEVICE;
  }
}
