// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** How far a run is, on standard error and only where that is a terminal. Confined to one thread. */
final class ProgressLine {
  private static final String ERASE = "\r\033[K";
  private static final long EVERY = 500_000_000L;

  private final PrintStream err;
  private final boolean shown;
  private long last;

  ProgressLine(PrintStream err, boolean shown) {
    this.err = err;
    this.shown = shown;
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

  void show(long[] operations, int divergences, long nanos, long all) {
    if (shown && nanos - last > EVERY) {
      last = nanos;
      long sum = Arrays.stream(operations).sum();
      err.printf("%s%,d operations compared, %,d a second, %d divergences, %d of %d s", ERASE, sum,
          sum * 1_000_000_000L / nanos, divergences, nanos / 1_000_000_000L, all / 1_000_000_000L);
      err.flush();
    }
  }

  void erase() {
    if (shown) {
      err.print(ERASE);
      err.flush();
    }
  }
}
