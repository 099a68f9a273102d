// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.kernel.DeviceRegistration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What a driver asks for by name: whether that can be, and which nodes it is. */
final class NodeNames {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,63}");
  private static final int MAX_COUNT = 1024;

  private NodeNames() {}

  /**
   * @throws IllegalArgumentException naming what cannot be
   */
  static void check(DeviceRegistration r) {
    if (!NAME.matcher(r.name()).matches()) {
      throw new IllegalArgumentException(
          "name: \"" + r.name() + "\" is no device name; give up to 64 letters, digits, '.', '_'"
              + " or '-', without /dev/");
    }
    if (r.count() < 1 || r.count() > MAX_COUNT) {
      throw new IllegalArgumentException(
          "count: " + r.count() + " for " + r.name() + "; give 1 to " + MAX_COUNT);
    }
    if (r.timeoutMillis() < 1) {
      throw new IllegalArgumentException(
          "timeoutMillis: " + r.timeoutMillis() + " for " + r.name() + "; give 1 or more");
    }
    if (r.major() < 0 || r.major() > 0xfff || r.minor() < 0
        || r.minor() > 0xfffff - r.count() + 1) {
      throw new IllegalArgumentException(
          "major, minor: " + r.major() + ", " + r.minor() + " for " + r.name()
              + "; give a major of 0 to 4095, and a minor of 0 to 1048575 for the last node");
    }
  }

  /** Where its nodes stand: the name itself for one, numbered from 0 for several. */
  static List<String> paths(DeviceRegistration r) {
    if (r.count() == 1) {
      return List.of("/dev/" + r.name());
    }
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < r.count(); i++) {
      paths.add("/dev/" + r.name() + i);
    }
    return paths;
  }
}
