// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.trace;

import io.faultline.kernel.TraceEvent;
import io.faultline.shell.word.Address;
import java.util.Locale;

/** An event as a line: {@code [2] nopage  /dev/scullp0 7ffff7ff4000  page 3}. */
final class TraceLine {
  private static final String RESET = "\u001b[0m";

  static String of(TraceEvent event, boolean colours) {
    String kind = event.kind().name().toLowerCase(Locale.ROOT);
    StringBuilder line = new StringBuilder();
    line.append("[%d] %-8s".formatted(event.pid(), kind));
    String device = event.device();
    if (device != null) {
      line.append(' ').append(device);
    }
    if (event.start() != 0 || event.end() != 0) {
      line.append(' ').append(new Address(event.start()).digits());
      if (event.end() != event.start()) {
        line.append('-').append(new Address(event.end()).digits());
      }
    }
    if (!event.text().isEmpty() && !event.text().equals(kind)) {
      line.append("  ").append(event.text().replace('\n', ' '));
    }
    return colours ? colour(event.kind()) + line + RESET : line.toString();
  }

  private static String colour(TraceEvent.Kind kind) {
    int code =
        switch (kind) {
          case SPAWN, FORK, EXIT -> 32;
          case CALL -> 90;
          case MMAP, OPEN, CLOSE -> 36;
          case NOPAGE, POPULATE, FAULT, IO -> 33;
          case SIGNAL -> 31;
          case DRIVER -> 35;
        };
    return "\u001b[" + code + "m";
  }

  private TraceLine() {}
}
