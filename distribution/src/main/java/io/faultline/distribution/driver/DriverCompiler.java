// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * {@code faultline driver} from within: what the script runs as a program of its own is loaded here
 * for one run, and forgotten. Neither it nor bnd ever is a bundle.
 */
final class DriverCompiler {
  private static final String TOOL = "io.faultline.driverc.DriverTool";

  private final Path home;

  /**
   * @param home the distribution's folder
   */
  DriverCompiler(Path home) {
    this.home = home;
  }

  /**
   * Compiles sources and makes their bundle.
   *
   * @param folder where the jar goes; the only file in it afterwards
   * @return the jar
   * @throws DropInException with the compiler's own words when that fails
   */
  Path compile(List<Path> sources, Path folder) throws DropInException {
    StringWriter said = new StringWriter();
    List<String> words = new ArrayList<>(sources.stream().map(Path::toString).toList());
    words.addAll(List.of("-o", folder.toString()));
    // Not a child of Felix's loaders: the tool must find nothing but the JDK and its own jars.
    try (URLClassLoader loader = new URLClassLoader(
        new URL[] {home.resolve("lib/driver/faultline-driverc.jar").toUri().toURL()},
        ClassLoader.getPlatformClassLoader())) {
      ToolProvider tool =
          loader.loadClass(TOOL).asSubclass(ToolProvider.class).getConstructor().newInstance();
      PrintWriter writer = new PrintWriter(said, true);
      int status = tool.run(writer, writer, words.toArray(String[]::new));
      if (status != 0) {
        throw new DropInException(said.toString().strip());
      }
      try (Stream<Path> made = Files.list(folder)) {
        return made.findFirst().orElseThrow(() -> new IOException("no jar was made"));
      }
    } catch (IOException | ReflectiveOperationException e) {
      throw new DropInException("cannot compile: " + e);
    }
  }
}
