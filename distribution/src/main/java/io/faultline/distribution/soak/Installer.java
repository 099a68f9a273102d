// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;

/** Installs and uninstalls bundles. */
final class Installer {
  private static final long PATIENCE_NANOS = 120_000_000_000L;

  private final BundleContext context;
  private final Devices devices;
  private final Remains remains = new Remains();
  private int number;

  Installer(BundleContext context, Devices devices) {
    this.context = context;
    this.devices = devices;
  }

  Bundle install(String name, byte[] jar) throws BundleException {
    Bundle bundle =
        context.installBundle("soak:" + name + ":" + number++, new ByteArrayInputStream(jar));
    bundle.start();
    return bundle;
  }

  void uninstall(Bundle bundle) throws BundleException {
    remains.add(bundle);
    bundle.uninstall();
  }

  /** What is left of those that were uninstalled. */
  Remains remains() {
    return remains;
  }

  /** The devices that a bundle serves. */
  List<DeviceInfo> devices(Bundle bundle) {
    return devices.list().stream()
        .filter(device -> device.present()
            && device.driver().equals(bundle.getSymbolicName())
            && device.driverVersion().equals(bundle.getVersion().toString()))
        .toList();
  }

  /** How many services for devices a bundle has. */
  int providers(Bundle bundle) {
    try {
      return context.getServiceReferences(
          MmapProvider.class, "(service.bundleid=" + bundle.getBundleId() + ")").size();
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String what, BooleanSupplier holds) throws SoakFailedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new SoakFailedException("soak: waited in vain: " + what);
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
