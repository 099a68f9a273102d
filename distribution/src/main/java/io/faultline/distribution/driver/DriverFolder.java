// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of drivers' jars. A driver's name here is its jar's without {@code .jar}.
 *
 * @param path of the folder, which need not exist
 */
record DriverFolder(Path path) {
  private static final String JAR = ".jar";

  /** Whether a path is that of a jar which is there. */
  static boolean isJar(Path file) {
    return Files.isRegularFile(file) && file.getFileName().toString().endsWith(JAR);
  }

  /** A jar's name without {@code .jar}. */
  static String nameOf(Path jar) {
    String name = jar.getFileName().toString();
    return name.substring(0, name.length() - JAR.length());
  }

  /** Names for a person to read. */
  static String list(List<String> names) {
    return names.isEmpty() ? "none" : String.join(" ", names);
  }

  /** The names of its jars, sorted; hidden files are none. */
  List<String> names() {
    try (Stream<Path> files = Files.list(path)) {
      return files
          .filter(file -> isVisibleJar(file.getFileName().toString()))
          .map(DriverFolder::nameOf)
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static boolean isVisibleJar(String file) {
    return file.endsWith(JAR) && !file.startsWith(".");
  }

  /** Where the jar of a name lies, or would. */
  Path jar(String name) {
    return path.resolve(name + JAR);
  }

  /** Copies a jar to a place in the folder, over the one that lies there. */
  void copy(Path jar, Path target) throws DropInException {
    try {
      // Under a name that is not watched, then moved: nobody ever sees half a jar.
      Path part = target.resolveSibling("." + target.getFileName() + ".part");
      Files.copy(jar, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(
          part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new DropInException("cannot copy " + jar + " to " + path + ": " + e);
    }
  }
}
