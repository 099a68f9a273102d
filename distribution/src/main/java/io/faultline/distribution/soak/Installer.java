// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import java.io.ByteArrayInputStream;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.wiring.BundleWiring;

/** Installs bundles, and looks whether their class loaders are collected when they are gone. */
final class Installer {
  private static final long PATIENCE_NANOS = 120_000_000_000L;

  private final BundleContext context;
  private final Devices devices;
  private final List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
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

  /** Its class loader is to be gone some time. */
  void uninstall(Bundle bundle) throws BundleException {
    if (bundle.adapt(BundleWiring.class) instanceof BundleWiring wiring) {
      loaders.add(new WeakReference<>(wiring.getClassLoader()));
    }
    bundle.uninstall();
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

  int loaders() {
    return loaders.size();
  }

  /** How many of these class loaders are gone, once threads that ran their code have ended. */
  int collected() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < end) {
      System.gc();
      if (loaders.stream().allMatch(l -> l.refersTo(null))) {
        break;
      }
      // Nobody tells when the collector is done, nor when an interrupted thread has ended.
      Thread.sleep(100);
    }
    return (int) loaders.stream().filter(l -> l.refersTo(null)).count();
  }
}
