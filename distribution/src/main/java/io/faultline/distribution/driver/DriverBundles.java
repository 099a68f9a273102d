// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** Which bundle belongs to which jar in the drop-in folder: its location is the jar's address. */
final class DriverBundles {
  private final BundleContext context;
  private final DriverFolder folder;

  DriverBundles(BundleContext context, DriverFolder folder) {
    this.context = context;
    this.folder = folder;
  }

  /** The bundle that File Install has made of a jar, or null. */
  @Nullable Bundle of(Path jar) {
    return context.getBundle(location(jar));
  }

  /** The bundle of a name and a version, or null. */
  @Nullable Bundle of(String symbolicName, String version) {
    return named(symbolicName).stream()
        .filter(bundle -> bundle.getVersion().toString().equals(version))
        .findFirst()
        .orElse(null);
  }

  /** Every version of a bundle. */
  List<Bundle> named(String symbolicName) {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
        .toList();
  }

  /** A bundle's jar in the folder, or null when it came from elsewhere. */
  @Nullable Path jarOf(Bundle bundle) {
    return folder.names().stream()
        .map(folder::jar)
        .filter(jar -> location(jar).equals(bundle.getLocation()))
        .findFirst()
        .orElse(null);
  }

  /**
   * The jar of a driver by the jar's name, or by that of its bundle, whole or its last word: an
   * upgrade leaves a driver under another jar's name.
   */
  Path jarOf(String name) {
    Path exact = folder.jar(name);
    if (Files.exists(exact)) {
      return exact;
    }
    for (Bundle bundle : context.getBundles()) {
      String symbolicName = bundle.getSymbolicName();
      Path jar = symbolicName != null
          && (symbolicName.equals(name) || symbolicName.endsWith("." + name))
              ? jarOf(bundle)
              : null;
      if (jar != null) {
        return jar;
      }
    }
    return exact;
  }

  /**
   * File Install starts a bundle some time after it has installed it, or says why it cannot. Before that
   * nobody else may start it: File Install would stop it and start it again.
   */
  static boolean isSettled(Bundle bundle, Complaints complaints) {
    return bundle.getState() == Bundle.ACTIVE || complaints.naming(bundle.getLocation()) != null
        || System.currentTimeMillis() - bundle.getLastModified() > Await.HOPE_MILLIS;
  }

  private static String location(Path jar) {
    // File Install's way of writing it: one slash, not three.
    return jar.toFile().toURI().toString();
  }
}
