// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/** Frames that a driver maps by their numbers alone: which it may, and who answers behind memory. */
final class BareFrames {
  private BareFrames() {}

  /**
   * Whether a device may map frames.
   *
   * @param before whose place the device is about to take, if it is
   * @throws ErrnoException EINVAL, EBUSY
   */
  static void check(DeviceNode node, @Nullable Driver before, long frame, long pages)
      throws ErrnoException {
    PhysicalMemory memory = node.kernel().memory();
    for (long i = 0; i < pages; i++) {
      long f = frame + i;
      if (memory.isIo(f)) {
        node.kernel().io().check(node, before, f);
      } else if (!memory.isLive(f) || memory.use(f) != FrameUse.DRIVER) {
        throw new ErrnoException(
            Errno.EINVAL, "frame: %d is not a frame that a driver allocated".formatted(f));
      }
    }
  }

  /** A device maps frames that it may map. */
  static void claim(DeviceNode node, long frame, long pages) {
    PhysicalMemory memory = node.kernel().memory();
    for (long i = 0; i < pages; i++) {
      if (memory.isIo(frame + i)) {
        node.kernel().io().claim(node, frame + i);
      }
    }
  }
}
