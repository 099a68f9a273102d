// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.DeviceNumber;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.TraceEvent;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Registering a driver: its nodes into the table, and what a driver of the same devices has left to it.
 */
final class Arrival {
  private final Kernel kernel;
  private final DeviceNodes nodes;
  private final KeptStates kept;
  private final BiFunction<DeviceRegistration, MmapProvider, Driver> create;

  /** What has come, and what it finds. */
  private record Entered(Driver driver, List<DeviceNode> left, boolean takesOver) {}

  /**
   * @param create makes a driver that is in no table yet
   */
  Arrival(
      Kernel kernel, DeviceNodes nodes, KeptStates kept,
      BiFunction<DeviceRegistration, MmapProvider, Driver> create) {
    this.kernel = kernel;
    this.nodes = nodes;
    this.kept = kept;
    this.create = create;
  }

  /** See {@link DeviceTable#register}. */
  Driver run(
      DeviceRegistration wanted, MmapProvider provider, Surroundings surroundings,
      StateKeeper keeper) {
    NodeNames.check(wanted);
    Entered entered = enter(wanted, provider);
    Driver driver = entered.driver;
    kernel.tracer().emit(
        TraceEvent.Kind.DRIVER, 0, driver.nodes().getFirst().owner(), 0, 0,
        driver.name() + " registered");
    if (entered.takesOver) {
      try {
        new Replug(kernel, surroundings.world(), keeper)
            .attach(driver, surroundings.pages().apply(driver.registration()), entered.left);
      } finally {
        driver.endTakeOver();
      }
    }
    entered.left.forEach(nodes::fileClosed);
    nodes.awake(driver.paths());
    return driver;
  }

  private Entered enter(DeviceRegistration wanted, MmapProvider provider) {
    synchronized (nodes) {
      List<String> paths = NodeNames.paths(wanted);
      checkFree(paths);
      List<DeviceNode> left = nodes.left(paths);
      DeviceNumbers numbers = nodes.numbers();
      DeviceRegistration registration = numbers.withMajor(numbers.asBefore(wanted, left));
      Driver driver = create.apply(registration, provider);
      for (int i = 0; i < registration.count(); i++) {
        DeviceNumber number = new DeviceNumber(registration.major(), registration.minor() + i);
        Inode inode = nodes.inode(paths.get(i), number, left);
        driver.nodes().add(new DeviceNode(kernel, driver, paths.get(i), i, inode));
      }
      kept.returned(provider);
      boolean takesOver = driver.handsOver() && (!left.isEmpty() || kept.has(driver));
      if (takesOver) {
        driver.beginTakeOver();
      }
      nodes.add(driver);
      return new Entered(driver, left, takesOver);
    }
  }

  private void checkFree(List<String> paths) {
    for (String path : paths) {
      DeviceNode other = nodes.at(path);
      if (other != null) {
        throw new IllegalArgumentException(
            "name: " + path + " is taken by driver " + other.driver().name()
                + "; choose another name, or remove that driver first");
      }
    }
  }
}
