// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.util.Locale;

/**
 * The class that stands for a driver: the first that serves devices.
 *
 * @param packageName of the class; never empty
 * @param simpleName of the class
 */
record DriverClass(String packageName, String simpleName) {
  /**
   * The bundle's symbolic name: package and class in small letters, the class only once. {@code
   * org.acme.Ramdisk} is {@code org.acme.ramdisk}, and so is {@code org.acme.ramdisk.Ramdisk}. Two
   * drivers of one package so have two names, and run side by side.
   */
  String symbolicName() {
    String name = moduleName();
    return packageName.equals(name) || packageName.endsWith("." + name)
        ? packageName
        : packageName + "." + name;
  }

  /** The name that {@code insmod} knows it by: the class in small letters. */
  String moduleName() {
    return simpleName.toLowerCase(Locale.ROOT);
  }
}
