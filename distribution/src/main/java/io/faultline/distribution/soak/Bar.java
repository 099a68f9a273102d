// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.io.PrintStream;

/** A progress bar on a terminal; elsewhere nothing. */
final class Bar {
  private static final int WIDTH = 40;

  private final PrintStream out;
  private final boolean shown = System.console() != null && System.console().isTerminal();

  Bar(PrintStream out) {
    this.out = out;
  }

  void show(String what, int done, int of) {
    if (shown) {
      int full = of == 0 ? WIDTH : (int) ((long) WIDTH * done / of);
      out.print("\r" + what + " [" + "#".repeat(full) + ".".repeat(WIDTH - full) + "] " + done
          + "/" + of);
      out.flush();
    }
  }

  void end() {
    if (shown) {
      out.print("\r\u001b[K");
      out.flush();
    }
  }
}
