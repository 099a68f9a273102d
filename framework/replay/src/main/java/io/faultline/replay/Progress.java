// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

/** Which of the recordings is being replayed. Thread-safe. */
final class Progress {
  private final ProgressLine line;
  private final int total;
  private int done; // guarded by this

  Progress(ProgressLine line, int total) {
    this.line = line;
    this.total = total;
  }

  synchronized void begin(String name) {
    line.show("[%d/%d] %s".formatted(done + 1, total, name));
  }

  synchronized void end() {
    done++;
    line.erase();
  }
}
