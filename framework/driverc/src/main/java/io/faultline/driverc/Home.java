// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** The distribution's folder. */
final class Home {
  private Home() {}

  /** Of the distribution that this jar came with, which lies in its {@code lib/driver}. */
  static Path ofThisJar() {
    try {
      Path jar =
          Path.of(Home.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return jar.resolve("../../..").normalize();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("cannot tell where the driver tools' jar lies", e);
    }
  }
}
