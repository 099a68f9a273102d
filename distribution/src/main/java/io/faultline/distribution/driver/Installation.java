// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Installing a driver: its jar into the folder, then waiting until its devices are there. */
final class Installation {
  private final AvailableDrivers available;
  private final DriverFolder folder;
  private final DriverBundles bundles;
  private final Offers offers;
  private final WaitingComponents waiting;

  Installation(
      AvailableDrivers available, DriverFolder folder, DriverBundles bundles, Offers offers,
      WaitingComponents waiting) {
    this.available = available;
    this.folder = folder;
    this.bundles = bundles;
    this.offers = offers;
    this.waiting = waiting;
  }

  /** See {@link DropIn#install}. */
  Installed run(Path jar) throws DropInException, InterruptedException {
    available.requireJar("insmod", jar);
    String name = DriverFolder.nameOf(jar);
    Path target = folder.jar(name);
    requireNoOther(BundleFile.read(jar).symbolicName(), jar, target);
    Complaints complaints = Complaints.listen();
    try {
      return brought(installed(jar, target, complaints), name, complaints);
    } finally {
      complaints.close();
    }
  }

  /** Two versions would both run, and only the first one have the devices. */
  private void requireNoOther(String symbolicName, Path jar, Path target) throws DropInException {
    Bundle own = bundles.of(target);
    for (Bundle other : bundles.named(symbolicName)) {
      if (!other.equals(own)) {
        throw new DropInException(
            ("insmod: %s %s is installed already, from %s; driver upgrade %s puts this one in its "
                + "place, rmmod takes it out")
                .formatted(symbolicName, other.getVersion(), origin(other), jar));
      }
    }
  }

  private String origin(Bundle bundle) {
    Path jar = bundles.jarOf(bundle);
    return jar == null ? bundle.getLocation() : String.valueOf(jar.getFileName());
  }

  private Bundle installed(Path jar, Path target, Complaints complaints)
      throws DropInException, InterruptedException {
    Bundle before = bundles.of(target);
    long modified = before == null ? -1 : before.getLastModified();
    folder.copy(jar, target);
    Bundle bundle = Await.found(() -> newer(target, modified, complaints));
    if (bundle == null) {
      throw new DropInException(
          target + " lies there but was not installed; is it a bundle? The log says more");
    }
    requireActive(bundle);
    return bundle;
  }

  private @Nullable Bundle newer(Path target, long modified, Complaints complaints) {
    Bundle now = bundles.of(target);
    return now != null && now.getLastModified() != modified
        && DriverBundles.isSettled(now, complaints)
            ? now
            : null;
  }

  private static void requireActive(Bundle bundle) throws DropInException {
    if (bundle.getState() != Bundle.ACTIVE) {
      try {
        bundle.start();
      } catch (BundleException e) {
        throw new DropInException(bundle.getSymbolicName() + " does not start: " + e.getMessage());
      }
    }
  }

  private Installed brought(Bundle bundle, String name, Complaints complaints)
      throws DropInException, InterruptedException {
    int declared = DeclaredDevices.count(bundle);
    int commands = DeclaredDevices.commands(bundle);
    BooleanSupplier done =
        () -> complaints.about(bundle) != null
            || offers.of(bundle).count() >= declared && offers.commandServices(bundle) >= commands;
    boolean all = Await.until(done, Await.HOPE_MILLIS);
    if (!all && DeclaredDevices.hasComponents(bundle)) {
      // One that waits for something may wait for ever; one that does not is on its way.
      boolean unused = Await.until(() -> done.getAsBoolean() || waiting.why(bundle) != null);
    }
    Installed brought = offers.of(bundle);
    if (brought.count() == 0) {
      String complaint = complaints.about(bundle);
      complaint = complaint == null ? waiting.why(bundle) : complaint;
      throw new DropInException(
          "%s runs but brought no device: %s (rmmod %s takes it out again)"
              .formatted(
                  bundle.getSymbolicName(),
                  complaint == null
                      ? "does it register an MmapProvider with @Device, a FileSystem or a SwapDevice?"
                      : complaint,
                  name));
    }
    for (String swap : brought.swaps()) {
      requireInUse(swap, name, complaints);
    }
    return brought;
  }

  private void requireInUse(String swap, String name, Complaints complaints)
      throws DropInException, InterruptedException {
    boolean unused =
        Await.until(() -> offers.inUse(swap) || complaints.naming(swap) != null);
    if (!offers.inUse(swap)) {
      String complaint = complaints.naming(swap);
      throw new DropInException(
          "%s is there but not in use: %s (rmmod %s takes it out again)"
              .formatted(swap, complaint == null ? "dmesg says more" : complaint, name));
    }
  }
}
