// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.distribution.driver.DropIn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/** Makes further versions of the drivers that came along: the same classes under another version. */
final class Versions {
  private final DropIn dropIn;

  Versions(DropIn dropIn) {
    this.dropIn = dropIn;
  }

  /** The bytes of a driver's jar whose bundle has another version. */
  byte[] of(String driver, String version) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile file = jar(driver)) {
      Manifest manifest = new Manifest(file.getManifest());
      manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
      try (JarOutputStream out = new JarOutputStream(bytes, manifest)) {
        for (JarEntry entry : Collections.list(file.entries())) {
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new JarEntry(entry.getName()));
            file.getInputStream(entry).transferTo(out);
          }
        }
      }
    }
    return bytes.toByteArray();
  }

  private JarFile jar(String driver) throws IOException {
    Path jar = dropIn.availableJar(driver);
    return new JarFile(jar.toFile());
  }

  /** The drivers that came along and have devices, all of them declared. */
  List<String> ofDevices() throws IOException {
    List<String> found = new java.util.ArrayList<>();
    for (String name : dropIn.available()) {
      try (JarFile file = jar(name)) {
        for (JarEntry entry : Collections.list(file.entries())) {
          if (entry.getName().startsWith("OSGI-INF/") && entry.getName().endsWith(".xml")
              && !found.contains(name)
              && new String(file.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8)
                  .contains("\"device.name\"")) {
            found.add(name);
          }
        }
      }
    }
    return found;
  }
}
