// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.device.Driver;
import io.faultline.core.device.PrivateData;
import io.faultline.core.device.UnplugHandler;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageZapper;
import io.faultline.mm.ErrnoException;

/**
 * Takes a driver that goes out of all address spaces: its areas' pages are zapped and its {@code
 * close} is called while its code is still there. The areas stay, and the device's unplug policy
 * answers. A private area's own copies stay too: they are the process's memory, not the device's.
 */
public final class DriverUnplug implements UnplugHandler {
  private final TaskTable tasks;

  public DriverUnplug(TaskTable tasks) {
    this.tasks = tasks;
  }

  @Override
  public void unplug(Driver driver) {
    // A fork that is under way may add a space with the driver's areas behind our back: once more,
    // until none is found. New mappings are refused already.
    boolean found = true;
    while (found) {
      found = false;
      for (AddressSpace space : tasks.spaces()) {
        found |= unplug(driver, space);
      }
    }
  }

  private static boolean unplug(Driver driver, AddressSpace space) {
    try {
      space.lockForWriting();
    } catch (ErrnoException gone) {
      return false;
    }
    try {
      boolean found = false;
      for (Area area : space.areas().snapshot()) {
        AreaOperations operations = area.operations();
        // Without operations it is anonymous memory: a private mapping of /dev/zero outlives the
        // driver.
        if (operations != null
            && driver.owns(area)
            && operations != driver.goneOperations(area)) {
          unplug(driver, space, area);
          found = true;
        }
      }
      return found;
    } finally {
      space.unlockForWriting();
    }
  }

  private static void unplug(Driver driver, AddressSpace space, Area area) {
    PageZapper.zapFilePages(space, area);
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasClose()) {
      operations.close(area);
    }
    area.setPrivateData(PrivateData.carried(area.privateData()));
    area.setOperations(driver.goneOperations(area));
  }
}
