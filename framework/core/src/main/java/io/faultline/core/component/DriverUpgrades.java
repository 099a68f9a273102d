// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.kernel.Drivers;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Replaces drivers by their bundles. Thread-safe. */
@Component
public final class DriverUpgrades implements Drivers {
  private final KernelComponent kernel;
  private final DriverWhiteboard drivers;

  /** For the drivers of a whiteboard. */
  @Activate
  public DriverUpgrades(@Reference KernelComponent kernel, @Reference DriverWhiteboard drivers) {
    this.kernel = kernel;
    this.drivers = drivers;
  }

  @Override
  public Upgrade upgrade(long from, long to) throws UpgradeException {
    return drivers.upgrade(from, to);
  }

  @Override
  public int restore(String name) {
    return kernel.kernel().deviceTable().restore(name);
  }

  @Override
  public List<KeptMemory> kept() {
    return kernel.kernel().kept();
  }

  @Override
  public int forget(String name) {
    return kernel.kernel().forget(name);
  }
}
