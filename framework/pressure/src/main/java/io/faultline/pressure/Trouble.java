// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What has gone wrong in a run; the first trouble ends it. Thread-safe. */
final class Trouble {
  private final List<String> lines = new CopyOnWriteArrayList<>();

  void tell(String line) {
    lines.add(line);
  }

  boolean isNone() {
    return lines.isEmpty();
  }

  List<String> lines() {
    return List.copyOf(lines);
  }
}
