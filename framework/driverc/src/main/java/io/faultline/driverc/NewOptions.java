// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import javax.lang.model.SourceVersion;
import org.jspecify.annotations.Nullable;

/**
 * What project was asked for.
 *
 * @param name of the project, its folder and the device's node
 * @param packageName the driver's package
 * @param version as Maven has it
 */
record NewOptions(String name, String packageName, String version) {
  private static final String EXAMPLE = "; example: faultline new my-disk --package org.acme";
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
  private static final Pattern VERSION = Pattern.compile("\\d{1,9}(\\.\\d{1,9}){0,2}(-SNAPSHOT)?");
  private static final int LONGEST = 60;

  /**
   * Reads the words of a command line.
   *
   * @throws ComplaintException when they are wrong
   */
  static NewOptions parse(List<String> words) throws ComplaintException {
    String name = null;
    String packageName = "org.example";
    String version = "1.0.0-SNAPSHOT";
    for (Iterator<String> rest = words.iterator(); rest.hasNext();) {
      String word = rest.next();
      switch (word) {
        case "--package" -> packageName = value(word, "a package such as org.acme", rest);
        case "--version" -> version = value(word, "a version such as 1.0.0-SNAPSHOT", rest);
        default -> {
          if (word.startsWith("-")) {
            throw new ComplaintException(
                "there is no option " + word + "; there are --package P and --version V" + EXAMPLE);
          }
          if (name != null) {
            throw new ComplaintException(
                "NAME: there are two, " + name + " and " + word + EXAMPLE);
          }
          name = word;
        }
      }
    }
    return new NewOptions(name(name), packageName(packageName), version(version));
  }

  private static String value(String option, String what, Iterator<String> rest)
      throws ComplaintException {
    if (!rest.hasNext()) {
      throw new ComplaintException(option + ": " + what + " is missing" + EXAMPLE);
    }
    return rest.next();
  }

  private static String name(@Nullable String name) throws ComplaintException {
    if (name == null || name.isBlank()) {
      throw new ComplaintException("NAME is missing" + EXAMPLE);
    }
    if (!NAME.matcher(name).matches() || name.length() > LONGEST) {
      throw new ComplaintException(
          "NAME: " + name
              + " is no name; it is small letters and digits, with single dashes between,"
              + " begins with a letter and has " + LONGEST + " characters at most" + EXAMPLE);
    }
    return name;
  }

  private static String packageName(String packageName) throws ComplaintException {
    if (!SourceVersion.isName(packageName)) {
      throw new ComplaintException(
          "--package: " + packageName + " is no name of a Java package" + EXAMPLE);
    }
    if (packageName.equals("java") || packageName.startsWith("java.")
        || packageName.equals("io.faultline") || packageName.startsWith("io.faultline.")) {
      throw new ComplaintException(
          "--package: " + packageName + " belongs to others; take one of your own" + EXAMPLE);
    }
    return packageName;
  }

  private static String version(String version) throws ComplaintException {
    if (!VERSION.matcher(version).matches()) {
      throw new ComplaintException(
          "--version: " + version + " is no version; it is one to three numbers, 1.0.0, or"
              + " 1.0.0-SNAPSHOT");
    }
    return version;
  }
}
