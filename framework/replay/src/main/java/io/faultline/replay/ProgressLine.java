// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One line that says how far a run is and is written again and again, on standard error and only where
 * that is a terminal. Thread-safe.
 */
public final class ProgressLine {
  private static final String ERASE = "\r\033[K";

  private final PrintStream err;
  private final boolean shown;

  /**
   * @param shown whether somebody is there to see it; otherwise nothing is written
   */
  ProgressLine(PrintStream err, boolean shown) {
    this.err = err;
    this.shown = shown;
  }

  /** On standard error; where it cannot be found out whether that is a terminal, it is none. */
  public static ProgressLine onStandardError() {
    return new ProgressLine(System.err, isTerminal());
  }

  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException | SecurityException e) {
      return false;
    }
  }

  /** Writes it in the place of what it said before. */
  public void show(String text) {
    write(ERASE + text);
  }

  /** Takes it away. */
  public void erase() {
    write(ERASE);
  }

  private void write(String text) {
    if (shown) {
      err.print(text);
      err.flush();
    }
  }
}
