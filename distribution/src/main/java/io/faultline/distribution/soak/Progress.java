// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.io.PrintStream;
import java.util.Locale;

/** How far it is: a bar on a terminal, elsewhere a line now and then. */
final class Progress {
  private static final int WIDTH = 40;
  private static final int LINES = 10;

  private final PrintStream out;
  private final boolean terminal =
      System.console() != null && System.console().isTerminal();
  private final long began = System.nanoTime();
  private int told;

  Progress(PrintStream out) {
    this.out = out;
  }

  /**
   * @param more what else there is to say
   */
  void show(String what, int done, int of, String more) {
    double seconds = (System.nanoTime() - began) / 1e9;
    if (terminal) {
      int full = (int) ((long) WIDTH * done / of);
      out.print(
          String.format(
              Locale.ROOT, "\r%s [%s%s] %d/%d  %.0f s  %s\u001b[K", what, "#".repeat(full),
              ".".repeat(WIDTH - full), done, of, seconds, more));
      out.flush();
    } else if (LINES * done / of > told) {
      told = LINES * done / of;
      out.println(
          String.format(Locale.ROOT, "%s %d/%d  %.0f s  %s", what, done, of, seconds, more));
      out.flush();
    }
  }

  void end() {
    if (terminal) {
      out.print("\r\u001b[K");
      out.flush();
    }
  }
}
