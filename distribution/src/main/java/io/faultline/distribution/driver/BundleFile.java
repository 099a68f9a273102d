// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * What a jar says that it is, before it is a bundle.
 *
 * @param symbolicName of the bundle
 * @param version of the bundle
 */
record BundleFile(String symbolicName, Version version) {
  /**
   * Reads a jar's manifest.
   *
   * @throws DropInException when it is no bundle
   */
  static BundleFile read(Path jar) throws DropInException {
    try (JarFile file = new JarFile(jar.toFile())) {
      Manifest manifest = file.getManifest();
      Attributes headers = manifest == null ? new Attributes() : manifest.getMainAttributes();
      String name = headers.getValue(Constants.BUNDLE_SYMBOLICNAME);
      if (name == null) {
        throw new DropInException(jar + " is no bundle: it has no Bundle-SymbolicName");
      }
      int directives = name.indexOf(';');
      return new BundleFile(
          (directives < 0 ? name : name.substring(0, directives)).strip(),
          Version.parseVersion(headers.getValue(Constants.BUNDLE_VERSION)));
    } catch (IOException | IllegalArgumentException e) {
      throw new DropInException(jar + " cannot be read: " + e.getMessage());
    }
  }
}
