// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.kernel.TraceEvent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Unregistering a driver, step by step, so that it is told of everything while its code is still there.
 */
final class Leaving {
  private final Kernel kernel;
  private final DeviceNodes nodes;
  private final Mounts mounts;
  private final List<UnplugHandler> handlers;

  /**
   * @param handlers take its pages out of address spaces
   */
  Leaving(Kernel kernel, DeviceNodes nodes, Mounts mounts, List<UnplugHandler> handlers) {
    this.kernel = kernel;
    this.nodes = nodes;
    this.mounts = mounts;
    this.handlers = handlers;
  }

  /**
   * See {@link DeviceTable#unregister}.
   *
   * @param keeper null when it is not asked what to save
   */
  void run(Driver driver, @Nullable StateKeeper keeper, Surroundings surroundings) {
    if (!begin(driver)) {
      return;
    }
    long limit = driver.registration().timeoutMillis() + 5L * Watchdog.PERIOD_MILLIS;
    int unusedBefore = kernel.watchdog().drain(driver, limit);
    int slow = kernel.watchdog().inFlight(driver);
    if (keeper != null) {
      save(driver, keeper, surroundings, slow);
    }
    unplug(driver);
    revoke(driver);
    int unusedAfter = kernel.watchdog().drain(driver, limit);
    int stuck = kernel.watchdog().inFlight(driver);
    if (stuck > 0) {
      kernel.log().problem(
          "driver " + driver.name() + " is gone, but " + stuck
              + " of its calls react to no interrupt and keep their threads",
          null);
    }
    driver.nodes().forEach(DeviceNode::revoke);
    driver.nodes().forEach(nodes::fileClosed);
    if (!driver.nodes().isEmpty()) {
      kernel.tracer().emit(
          TraceEvent.Kind.DRIVER, 0, driver.nodes().getFirst().owner(), 0, 0,
          driver.name() + " unregistered");
    }
  }

  /** Its nodes vanish; false when somebody else sees to all this. */
  private boolean begin(Driver driver) {
    boolean leaving = false;
    while (!leaving) {
      boolean unused = driver.awaitExchangeEnd(true);
      leaving = leave(driver);
      if (!leaving && !driver.isExchanging()) {
        return false;
      }
    }
    return true;
  }

  private boolean leave(Driver driver) {
    synchronized (nodes) {
      if (!driver.leave(kernel.limits().gapMillis())) {
        return false;
      }
      mounts.remove(driver);
      nodes.leave(driver);
      return true;
    }
  }

  private void save(Driver driver, StateKeeper keeper, Surroundings surroundings, int slow) {
    try {
      keeper.save(driver, surroundings.pages().apply(driver.registration()), slow);
    } catch (RuntimeException | Error e) {
      // It goes all the same, and with it its areas.
      kernel.log().problem(
          "the state of driver " + driver.name() + " is not kept: " + Failures.line(e),
          Failures.trace(e));
    }
  }

  /** Its areas are closed, its files released. */
  private void unplug(Driver driver) {
    for (UnplugHandler handler : handlers) {
      try {
        handler.unplug(driver);
      } catch (RuntimeException | Error e) {
        kernel.log().problem(
            "areas of driver " + driver.name() + " could not be closed: " + Failures.line(e),
            Failures.trace(e));
      }
    }
    kernel.mappings().unmount(driver);
    for (DeviceNode node : driver.nodes()) {
      node.files().forEach(OpenFileObject::hangUp);
    }
  }

  /** From here on nobody calls it. */
  private void revoke(Driver driver) {
    driver.openGap(driver.hasGap() ? kernel.limits().gapMillis() : 0);
    driver.revoke();
    kernel.io().revoke(driver);
  }
}
