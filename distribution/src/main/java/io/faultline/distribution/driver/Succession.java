// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/**
 * Upgrading a driver: the new version beside the old one, the devices handed over by the kernel, then
 * the old one out.
 */
final class Succession {
  private final AvailableDrivers available;
  private final DriverFolder folder;
  private final DriverBundles bundles;
  private final Offers offers;
  private final Removal removal;
  private final Devices devices;

  Succession(
      AvailableDrivers available, DriverFolder folder, DriverBundles bundles, Offers offers,
      Removal removal, Devices devices) {
    this.available = available;
    this.folder = folder;
    this.bundles = bundles;
    this.offers = offers;
    this.removal = removal;
    this.devices = devices;
  }

  /** See {@link DropIn#upgrade}. */
  Upgraded run(Path jar, Drivers drivers) throws DropInException, InterruptedException {
    available.requireJar("driver upgrade", jar);
    BundleFile file = BundleFile.read(jar);
    Bundle old = predecessor(jar, file);
    Path target = freePlace(jar, file);
    Complaints complaints = Complaints.listen();
    try {
      Bundle next = beside(jar, target, old, complaints);
      Upgrade upgrade = drivers.upgrade(old.getBundleId(), next.getBundleId());
      removal.uninstall(old);
      return new Upgraded(file.symbolicName(), old.getVersion(), file.version(), upgrade);
    } catch (UpgradeException e) {
      takeBack(target);
      throw new DropInException(
          "driver upgrade: %s; %s %s has not stopped"
              .formatted(e.getMessage(), old.getSymbolicName(), old.getVersion()));
    } finally {
      complaints.close();
    }
  }

  /** The version that serves devices. */
  private Bundle predecessor(Path jar, BundleFile file) throws DropInException {
    Bundle old = devices.list().stream()
        .filter(d -> d.state() != DeviceInfo.State.GONE && d.driver().equals(file.symbolicName()))
        .map(d -> bundles.of(d.driver(), d.driverVersion()))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
    if (old == null) {
      throw new DropInException(
          "driver upgrade: no version of %s is installed; driver install %s does that"
              .formatted(file.symbolicName(), jar));
    }
    if (old.getVersion().equals(file.version())) {
      throw new DropInException(
          "driver upgrade: %s %s serves already; give its bundle another version"
              .formatted(file.symbolicName(), file.version()));
    }
    return old;
  }

  private Path freePlace(Path jar, BundleFile file) throws DropInException {
    String name = DriverFolder.nameOf(jar);
    for (String candidate : List.of(name, name + "-" + file.version())) {
      Path target = folder.jar(candidate);
      if (!Files.exists(target) && bundles.of(target) == null) {
        return target;
      }
    }
    throw new DropInException(
        "driver upgrade: " + jar.getFileName() + " is in " + folder.path() + " already");
  }

  /** Installed, resolved and started, its services waiting for their devices. */
  private Bundle beside(Path jar, Path target, Bundle old, Complaints complaints)
      throws DropInException, InterruptedException, UpgradeException {
    folder.copy(jar, target);
    Bundle next = Await.found(() -> settled(target, complaints));
    if (next == null) {
      throw new UpgradeException(
          UpgradeException.Step.INSTALL, target + " was not installed; is it a bundle?");
    }
    requireActive(next);
    // A version may have fewer; services that are registered by hand are there when it is started.
    int declared = DeclaredDevices.services(next);
    int wanted = Math.min(declared, offers.providers(old));
    boolean unused = Await.until(
        () -> offers.providers(next) >= wanted || complaints.aboutVersion(next) != null);
    if (offers.providers(next) < wanted) {
      throw new UpgradeException(
          UpgradeException.Step.START,
          "%s %s offers %d devices' services, the old version %d; dmesg may say why".formatted(
              next.getSymbolicName(), next.getVersion(), offers.providers(next), wanted));
    }
    if (declared >= DeclaredDevices.services(old)) {
      // A component is there once for each of its configurations, and they come one by one.
      boolean ignored = Await.until(
          () -> offers.providers(next) >= offers.providers(old)
              || complaints.aboutVersion(next) != null,
          Await.HOPE_MILLIS);
    }
    return next;
  }

  private @Nullable Bundle settled(Path target, Complaints complaints) {
    Bundle now = bundles.of(target);
    return now != null && DriverBundles.isSettled(now, complaints) ? now : null;
  }

  private static void requireActive(Bundle next) throws UpgradeException {
    if (next.getState() != Bundle.ACTIVE) {
      try {
        next.start();
      } catch (BundleException e) {
        throw new UpgradeException(
            e.getType() == BundleException.RESOLVE_ERROR
                ? UpgradeException.Step.RESOLVE
                : UpgradeException.Step.START,
            String.valueOf(e.getMessage()));
      }
    }
  }

  /** The version that did not make it, and its jar, are gone afterwards. */
  private void takeBack(Path target) throws DropInException, InterruptedException {
    Bundle next = bundles.of(target);
    try {
      Files.deleteIfExists(target);
    } catch (IOException stays) {
      throw new DropInException("cannot remove " + target + ": " + stays);
    }
    if (next != null) {
      boolean unused = Await.until(() -> next.getState() == Bundle.UNINSTALLED);
    }
  }
}
