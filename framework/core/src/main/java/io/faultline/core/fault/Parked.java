// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.Parking;
import io.faultline.core.mm.AddressSpace;
import io.faultline.mm.ErrnoException;

/** How faults wait for the driver of an area. */
final class Parked {
  private Parked() {}

  /** Whether what was refused at an area is to be tried again. */
  static boolean isToWait(Area area) {
    AreaOperations operations = area.operations();
    return operations != null && operations.parking() != null;
  }

  /**
   * Waits for the driver of an area. Looks the area up once more: nothing may be held while waiting,
   * and anything may happen to it meanwhile.
   *
   * @return false when the thread was interrupted
   */
  static boolean pause(AddressSpace space, long address) {
    Parking parking = null;
    try {
      space.lockForReading();
      try {
        Area area = space.areas().findAt(address);
        AreaOperations operations = area == null ? null : area.operations();
        parking = operations == null ? null : operations.parking();
      } finally {
        space.unlockForReading();
      }
    } catch (ErrnoException gone) {
      return true;
    }
    return parking == null ? !Thread.currentThread().isInterrupted() : parking.pause();
  }
}
