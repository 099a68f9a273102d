// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/**
 * Makes a bundle of class files. bnd reads the annotations: {@code @Component}, {@code @Device} and
 * {@code @Reference} become the component's description, {@code @RequireFaultline} a requirement,
 * and what the classes use becomes the imports with their ranges.
 */
final class BundleMaker {
  private final Kit kit;

  /**
   * @param kit what the classes were compiled against: it tells the imports' versions
   */
  BundleMaker(Kit kit) {
    this.kit = kit;
  }

  /**
   * Writes the jar whole or not at all: the folder may be one that is watched.
   *
   * @param classes folder of the class files
   * @param jar may exist; then it is replaced
   * @return what the bundle will serve
   * @throws ComplaintException when bnd finds the classes unfit for a bundle
   */
  List<DeviceNodes> make(Path classes, DriverClass driver, String version, Path jar)
      throws ComplaintException, IOException {
    try (Builder builder = new Builder()) {
      builder.setJar(new Jar(driver.moduleName(), classes.toFile()));
      for (Path needed : kit.jars()) {
        builder.addClasspath(needed.toFile());
      }
      headers(driver, version).forEach(builder::setProperty);
      try (Jar bundle = builder.build()) {
        if (!builder.getErrors().isEmpty()) {
          throw new ComplaintException(String.join("; ", builder.getErrors()));
        }
        List<DeviceNodes> nodes = DeviceNodes.of(bundle);
        write(bundle, jar);
        return nodes;
      }
    } catch (ComplaintException | IOException e) {
      throw e;
    } catch (Exception e) { // bnd declares no less.
      throw new IOException("bnd: " + e, e);
    }
  }

  /** As for Faultline's own bundles: the same sources give the same bytes. */
  private static Map<String, String> headers(DriverClass driver, String version) {
    return Map.of(
        "Bundle-SymbolicName", driver.symbolicName(),
        "Bundle-Name", driver.simpleName(),
        "Bundle-Version", version,
        "Import-Package", "org.jspecify.annotations;resolution:=optional, *",
        "-noimportjava", "true",
        "-noextraheaders", "true",
        "-reproducible", "true");
  }

  private static void write(Jar bundle, Path jar) throws Exception {
    Path part = jar.resolveSibling("." + jar.getFileName() + ".part");
    try {
      bundle.write(part.toFile());
      Files.move(
          part, jar, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
