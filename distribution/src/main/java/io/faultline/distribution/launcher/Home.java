// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder that was installed, as the distribution's build lays it out.
 *
 * @param root the folder itself, absolute
 */
record Home(Path root) {
  /**
   * The folder that the launcher's own jar lies in ({@code ROOT/lib/faultline.jar}), or the value of
   * the system property {@code faultline.home}.
   *
   * @throws IOException when that is no such folder
   */
  static Home locate() throws IOException {
    String given = System.getProperty("faultline.home");
    Path root = given != null ? Path.of(given) : jar().resolveSibling("..");
    Home home = new Home(root.toAbsolutePath().normalize());
    if (!Files.isDirectory(home.bundles())) {
      throw new IOException(
          "faultline.home: "
              + home.root
              + " is not a Faultline folder: it has no bundle/. Run the script that came with it.");
    }
    return home;
  }

  private static Path jar() throws IOException {
    try {
      return Path.of(Home.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException("cannot tell where the launcher's jar lies", e);
    }
  }

  /** One sub-folder for each start level. */
  Path bundles() {
    return root.resolve("bundle");
  }

  /** Settings. */
  Path conf() {
    return root.resolve("conf");
  }

  /** Drivers that come along but are not installed. */
  Path available() {
    return root.resolve("available");
  }

  /** The drop-in folder: a driver's jar put here is installed while the kernel runs. */
  Path drivers() {
    return root.resolve("drivers");
  }

  /** Recordings of real programs. */
  Path recordings() {
    return root.resolve("recordings");
  }

  /** Where logs, history and the folder of each run are kept: {@code FAULTLINE_VAR}, else here. */
  Path var() {
    String given = System.getenv("FAULTLINE_VAR");
    return given != null && !given.isBlank()
        ? Path.of(given).toAbsolutePath()
        : root.resolve("var");
  }
}
