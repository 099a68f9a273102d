// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.memory.DriverPages;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Offers a driver that comes what one of the same device names has left: what is kept of its state,
 * then open files and areas, one by one. What it refuses stays without a driver.
 */
final class Replug {
  private static final long STOP_MILLIS = 3000;

  private final Kernel kernel;
  private final StopWorld world;
  private final StateKeeper keeper;

  Replug(Kernel kernel, StopWorld world, StateKeeper keeper) {
    this.kernel = kernel;
    this.world = world;
    this.keeper = keeper;
  }

  /**
   * @param driver its calls wait until this is done
   * @param pages the driver's
   * @param left nodes whose driver is gone, of the same paths as the driver's in part at least
   */
  void attach(Driver driver, DriverPages pages, List<DeviceNode> left) {
    Set<Driver> drivers = left.stream().map(DeviceNode::driver).collect(Collectors.toSet());
    try (StopWorld.Stopped stopped = world.stop(STOP_MILLIS, drivers)) {
      keeper.restore(driver, pages);
      for (DeviceNode old : left) {
        for (DeviceNode node : driver.nodes()) {
          if (node.owner().equals(old.owner()) && node.number().equals(old.number())) {
            attach(stopped, node, old);
          }
        }
      }
    } catch (ErrnoException busy) {
      kernel.log().problem(
          "what " + driver.paths() + " has left could not be given to driver " + driver.name()
              + ": " + busy.getMessage(),
          null);
    }
    left.forEach(old -> old.driver().awake());
  }

  private void attach(StopWorld.Stopped stopped, DeviceNode node, DeviceNode old) {
    List<OpenFileObject> taken = new ArrayList<>();
    boolean strange = !node.driver().registration().driver()
        .equals(old.driver().registration().driver());
    for (OpenFileObject file : old.files()) {
      if (strange) {
        file.setPrivateData(null);
      }
      if (adopted(stopped, node, adopter -> {
        adopter.adopt(file, node);
        return null;
      })) {
        taken.add(file);
      }
    }
    for (Area area : stopped.areas(a -> a.operations() == old.goneOperations()
        && a.mappedFile() instanceof OpenFileObject file && taken.contains(file))) {
      if (strange) {
        area.setPrivateData(null);
      }
      // Pages of zeros that stood for the driver's.
      stopped.zap(area);
      boolean unused = adopted(stopped, node, adopter -> adopter.adopt(area, node, null));
    }
  }

  private interface Offer {
    @Nullable Object to(Adopter adopter) throws ErrnoException;
  }

  private boolean adopted(StopWorld.Stopped stopped, DeviceNode node, Offer offer) {
    Adopter adopter = new Adopter();
    try {
      Object unused = offer.to(adopter);
      adopter.commit(stopped);
      return true;
    } catch (ErrnoException refused) {
      kernel.log().problem(
          node.owner() + ": driver " + node.driver().name() + " does not take over what is left: "
              + refused.getMessage(),
          null);
      return false;
    }
  }
}
