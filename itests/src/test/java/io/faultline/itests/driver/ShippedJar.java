// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;

/** A driver that comes along, as it is and in further versions. */
public final class ShippedJar {
  private ShippedJar() {}

  /** The jar of a driver by the name that {@code insmod} knows it by. */
  public static Path of(BundleContext context, String name) {
    return Path.of(context.getProperty("faultline.available"), name + ".jar");
  }

  /** The same classes under another version, in a new file. */
  public static Path of(BundleContext context, String name, String version) throws IOException {
    Path copy = Files.createTempDirectory("shipped").resolve(name + "-" + version + ".jar");
    try (JarFile file = new JarFile(of(context, name).toFile())) {
      Manifest manifest = new Manifest(file.getManifest());
      manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
      try (OutputStream bytes = Files.newOutputStream(copy);
          JarOutputStream out = new JarOutputStream(bytes, manifest)) {
        for (Enumeration<JarEntry> all = file.entries(); all.hasMoreElements();) {
          JarEntry entry = all.nextElement();
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new JarEntry(entry.getName()));
            file.getInputStream(entry).transferTo(out);
          }
        }
      }
    }
    return copy;
  }
}
