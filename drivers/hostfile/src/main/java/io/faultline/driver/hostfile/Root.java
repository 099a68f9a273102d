// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A folder of the host whose files may be opened.
 *
 * @param name as which it appears
 * @param folder without symbolic links
 * @param writable whether its files may be opened for writing
 */
record Root(String name, Path folder, boolean writable) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  /**
   * The roots of a configuration, by name.
   *
   * @param definitions {@code NAME=FOLDER} each
   * @param writable names
   * @throws IllegalArgumentException naming the property and what is wrong with it
   */
  static Map<String, Root> of(String[] definitions, String[] writable) {
    Set<String> toWrite = new TreeSet<>(words(writable));
    Map<String, Root> roots = new LinkedHashMap<>();
    for (String definition : words(definitions)) {
      int equals = definition.indexOf('=');
      String name = equals < 0 ? "" : definition.substring(0, equals).strip();
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "roots: \"" + definition + "\" is not NAME=FOLDER; a name has letters, digits, '.', '_'"
                + " and '-'");
      }
      Path folder = folder(definition.substring(equals + 1).strip());
      if (roots.put(name, new Root(name, folder, toWrite.remove(name))) != null) {
        throw new IllegalArgumentException("roots: " + name + " stands there twice");
      }
    }
    if (!toWrite.isEmpty()) {
      throw new IllegalArgumentException(
          "writable: " + toWrite + " are no names of roots; these are " + roots.keySet());
    }
    return roots;
  }

  /** A configuration file gives one text where there is no other sign of a list. */
  private static List<String> words(String[] texts) {
    return Arrays.stream(texts).flatMap(text -> Arrays.stream(text.split(","))).map(String::strip)
        .filter(word -> !word.isEmpty()).toList();
  }

  private static Path folder(String text) {
    try {
      Path folder = Path.of(text).toRealPath();
      if (!Files.isDirectory(folder)) {
        throw new IllegalArgumentException("roots: " + text + " is no folder");
      }
      return folder;
    } catch (IOException | InvalidPathException e) {
      throw new IllegalArgumentException(
          "roots: the folder " + text + " is not there, or cannot be looked at: " + e, e);
    }
  }

  /**
   * The real path of a file below the folder.
   *
   * @param below relative, with slashes
   * @throws ErrnoException ENOENT; EACCES when it lies outside, behind a symbolic link
   */
  Path resolve(String below) throws ErrnoException {
    Path real;
    try {
      real = folder.resolve(below).toRealPath();
    } catch (NoSuchFileException | InvalidPathException e) {
      throw new ErrnoException(Errno.ENOENT, "path: there is no " + folder.resolve(below));
    } catch (IOException e) {
      throw HostFile.errno("path", e);
    }
    if (!real.startsWith(folder)) {
      throw new ErrnoException(
          Errno.EACCES,
          "path: " + folder.resolve(below) + " leads out of " + folder + " by a symbolic link");
    }
    return real;
  }
}
