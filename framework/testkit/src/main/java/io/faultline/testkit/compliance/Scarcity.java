// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;

/**
 * Refuses a driver memory, or page tables, as Linux may at any time. This kernel has a reserve for page
 * tables and kills a process rather than refuse a page; so here it is the kit that refuses. Thread-safe.
 */
final class Scarcity {
  private final Watch watch;
  private int left;
  private boolean refused;

  Scarcity(Watch watch) {
    this.watch = watch;
  }

  /**
   * From now on.
   *
   * @param nth which of the driver's requests is refused, from 1; all others are granted
   */
  synchronized void begin(int nth) {
    left = nth;
    refused = false;
  }

  /**
   * No more.
   *
   * @return whether a request was refused
   */
  synchronized boolean end() {
    left = 0;
    return refused;
  }

  /** The driver wants memory. */
  synchronized void ask(String what) throws ErrnoException {
    if (left > 0 && --left == 0) {
      refused = true;
      watch.called("  " + what + ": ENOMEM, the test kit's doing");
      throw new ErrnoException(Errno.ENOMEM, what + ": no memory, the test kit says");
    }
  }
}
