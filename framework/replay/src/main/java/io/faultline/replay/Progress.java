// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** How far a run is, on standard error and only where that is a terminal. Thread-safe. */
final class Progress {
  private static final String ERASE = "\r\033[K";

  private final PrintStream err;
  private final boolean shown;
  private final int total;
  private int done; // guarded by this

  Progress(PrintStream err, boolean shown, int total) {
    this.err = err;
    this.shown = shown;
    this.total = total;
  }

  /** Whether standard error is a terminal; where that cannot be found out, it is not. */
  static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException | SecurityException e) {
      return false;
    }
  }

  synchronized void begin(String name) {
    if (shown) {
      err.print("%s[%d/%d] %s".formatted(ERASE, done + 1, total, name));
      err.flush();
    }
  }

  synchronized void end() {
    done++;
    if (shown) {
      err.print(ERASE);
      err.flush();
    }
  }
}
