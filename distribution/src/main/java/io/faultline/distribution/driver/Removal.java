// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Taking a driver out: its jar from the folder, then waiting until its bundle is gone. */
final class Removal {
  private final DriverFolder folder;
  private final DriverBundles bundles;

  Removal(DriverFolder folder, DriverBundles bundles) {
    this.folder = folder;
    this.bundles = bundles;
  }

  /** See {@link DropIn#remove}. */
  Bundle run(String name) throws DropInException, InterruptedException {
    Path target = bundles.jarOf(name);
    Bundle bundle = bundles.of(target);
    if (bundle == null) {
      throw new DropInException(
          "rmmod: there is no driver %s in %s; installed: %s"
              .formatted(name, folder.path(), DriverFolder.list(folder.names())));
    }
    try {
      Files.delete(target);
    } catch (IOException e) {
      throw new DropInException("cannot remove " + target + ": " + e);
    }
    awaitGone(bundle);
    return bundle;
  }

  /** Takes a bundle out, one that did not come from the folder too. */
  void uninstall(Bundle bundle) throws DropInException, InterruptedException {
    Path jar = bundles.jarOf(bundle);
    try {
      if (jar == null) {
        bundle.uninstall();
      } else {
        Files.deleteIfExists(jar);
      }
    } catch (IOException | BundleException e) {
      throw new DropInException("cannot remove " + bundle + ": " + e);
    }
    awaitGone(bundle);
  }

  private static void awaitGone(Bundle bundle) throws DropInException, InterruptedException {
    if (!Await.until(() -> bundle.getState() == Bundle.UNINSTALLED)) {
      throw new DropInException(bundle.getSymbolicName() + " did not stop; the log says more");
    }
  }
}
