// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.area.VmBits.VM_MIXEDMAP;
import static io.faultline.core.area.VmBits.VM_PFNMAP;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.mm.ErrnoException;
import java.util.Set;

/**
 * Brings a driver back from quarantine. Its areas have their operations still and fault their pages in
 * again; those that were mapped up front have lost theirs, and the driver is asked to adopt them.
 */
final class Quarantine {
  private final Kernel kernel;
  private final StopWorld world;

  Quarantine(Kernel kernel, StopWorld world) {
    this.kernel = kernel;
    this.world = world;
  }

  /** Returns how many nodes came back. */
  int end(Driver driver) {
    try (StopWorld.Stopped stopped =
        world.stop(Watchdog.patienceMillis(driver), Set.of(driver))) {
      if (!driver.beginRestore()) {
        return 0;
      }
      try {
        for (Area area : stopped.areas(driver::serves)) {
          if (driver.suppliesZeros() || isMappedUpFront(area)) {
            // Pages of zeros are not its own; of others, some may not have been taken out yet.
            stopped.zap(area);
          }
          if (isMappedUpFront(area)) {
            adopt(stopped, driver, area);
          }
        }
      } finally {
        driver.endRestore();
      }
      return driver.nodes().size();
    } catch (ErrnoException busy) {
      kernel.log().problem(
          "driver " + driver.name() + " could not be restored: " + busy.getMessage(), null);
      return 0;
    }
  }

  /** Whether its pages do not come by faults, or not all of them. */
  private static boolean isMappedUpFront(Area area) {
    AreaOperations operations = area.operations();
    return operations != null && !operations.hasNopage() || area.hasAny(VM_PFNMAP | VM_MIXEDMAP);
  }

  private void adopt(StopWorld.Stopped stopped, Driver driver, Area area) {
    AreaOperations before = area.operations();
    Object data = area.privateData();
    Adopter adopter = new Adopter();
    try {
      var unused = adopter.adopt(area, driver.nodeOf(area), null);
    } catch (ErrnoException refused) {
      kernel.log().problem(
          "driver " + driver.name() + " is restored, but a mapping has lost its pages: "
              + refused.getMessage(),
          null);
      return;
    }
    if (before != null && before.hasClose()) {
      // The driver has it twice now.
      Object again = area.privateData();
      area.setPrivateData(data);
      before.close(area);
      area.setPrivateData(again);
    }
    adopter.commit(stopped);
  }
}
