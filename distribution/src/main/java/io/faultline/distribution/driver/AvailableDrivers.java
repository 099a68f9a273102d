// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** The drivers that can be installed: those that came along, and those that were compiled here. */
final class AvailableDrivers {
  private final DriverFolder along;
  private final DriverFolder compiled;
  private final DriverCompiler compiler;

  /**
   * @param along the drivers that came along
   * @param compiled where the jars of those go that are compiled here
   */
  AvailableDrivers(DriverFolder along, DriverFolder compiled, DriverCompiler compiler) {
    this.along = along;
    this.compiled = compiled;
    this.compiler = compiler;
  }

  /** The names of all, sorted. */
  List<String> names() {
    return Stream.of(along, compiled).flatMap(folder -> folder.names().stream()).sorted().distinct()
        .toList();
  }

  /** The jar of the one that was compiled here, or else came along. */
  Path jar(String name) {
    Path own = compiled.jar(name);
    return Files.isRegularFile(own) ? own : along.jar(name);
  }

  /**
   * @param command who asks, for the message
   * @throws DropInException when there is no such jar; the message names those that there are
   */
  void requireJar(String command, Path jar) throws DropInException {
    if (!DriverFolder.isJar(jar)) {
      throw new DropInException(
          "%s: %s is neither a jar nor a driver that came along; those are: %s"
              .formatted(command, jar, DriverFolder.list(names())));
    }
  }

  /** Compiles a driver, which is one of them from then on; see {@link DropIn#compile}. */
  Path compile(List<Path> sources) throws DropInException {
    try {
      Path made = Files.createTempDirectory("faultline-insmod");
      try {
        Path jar = compiler.compile(sources, made);
        return Files.move(
            jar,
            Files.createDirectories(compiled.path()).resolve(jar.getFileName()),
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.delete(made);
      }
    } catch (IOException e) {
      throw new DropInException("cannot write to " + compiled.path() + ": " + e);
    }
  }
}
