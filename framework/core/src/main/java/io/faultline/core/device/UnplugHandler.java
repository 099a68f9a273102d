// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/** Takes a driver's pages out of address spaces while the driver's code is still there. */
public interface UnplugHandler {
  /**
   * A driver is going. Called once, on the thread that unregisters it, with no lock of this room
   * held. New opens, mmaps and faults are refused already and those under way have ended (or hang);
   * {@code close} still reaches the driver. Zap the pages of each area that {@link Driver#owns},
   * call its operations' {@code close}, and set its private data to null, or the driver's classes
   * stay in memory. Afterwards nothing reaches the driver any more, a second {@code close} at the
   * area's real end included.
   */
  void unplug(Driver driver);
}
