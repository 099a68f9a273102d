// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.driver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/** Makes the bundle of {@code /dev/stamp}, in any version. */
public final class DriverJar {
  /** Its symbolic name. */
  public static final String NAME = "io.faultline.itests.stamp";

  private DriverJar() {}

  /** The bytes of a jar. */
  public static byte[] ofVersion(String version) throws IOException {
    return ofVersion(version, "");
  }

  /**
   * The same with more to import.
   *
   * @param imports clauses, each with a comma behind it
   */
  public static byte[] ofVersion(String version, String imports) throws IOException {
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
    headers.putValue(Constants.BUNDLE_SYMBOLICNAME, NAME);
    headers.putValue(Constants.BUNDLE_VERSION, version);
    headers.putValue(Constants.BUNDLE_ACTIVATOR, StampActivator.class.getName());
    headers.putValue(
        Constants.IMPORT_PACKAGE,
        imports + "io.faultline.device;version=\"[1.0,2)\",io.faultline.mm;version=\"[1.0,2)\","
            + "org.osgi.framework,org.jspecify.annotations;resolution:=optional");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
      add(jar, StampActivator.class);
      add(jar, StampDriver.class);
      add(jar, HandStamp.class);
    }
    return bytes.toByteArray();
  }

  /** The bytes of a bundle under another version. */
  public static byte[] withVersion(Path bundle, String version) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile file = new JarFile(bundle.toFile())) {
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

  private static void add(JarOutputStream jar, Class<?> type) throws IOException {
    String path = type.getName().replace('.', '/') + ".class";
    try (InputStream in = type.getClassLoader().getResourceAsStream(path)) {
      if (in == null) {
        throw new IOException("no " + path);
      }
      jar.putNextEntry(new JarEntry(path));
      in.transferTo(jar);
      jar.closeEntry();
    }
  }
}
