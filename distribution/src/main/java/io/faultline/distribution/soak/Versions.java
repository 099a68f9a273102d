// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/** Makes further versions of a driver's bundle: the same classes under another version. */
final class Versions {
  private Versions() {}

  /** The bytes of a jar whose bundle has another version. */
  static byte[] of(Path jar, String version) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile file = new JarFile(jar.toFile())) {
      Manifest manifest = new Manifest(file.getManifest());
      manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
      try (JarOutputStream out = new JarOutputStream(bytes, manifest)) {
        for (Enumeration<JarEntry> all = file.entries(); all.hasMoreElements();) {
          JarEntry entry = all.nextElement();
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new JarEntry(entry.getName()));
            file.getInputStream(entry).transferTo(out);
          }
        }
      }
    }
    return bytes.toByteArray();
  }
}
