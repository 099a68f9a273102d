// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * Errors of write-backs until somebody hears of them: {@code errseq_t}. Each open file that was there
 * when one happened hears of the latest once; one that was opened later only if nobody has heard of it
 * yet. Thread-safe.
 */
final class WriteErrors {
  // Guarded by this object's monitor.
  private long count;
  private boolean seen;
  private @Nullable ErrnoException latest;

  /** A write-back failed. */
  synchronized void record(ErrnoException error) {
    count++;
    seen = false;
    latest = error;
  }

  /** What an open file that is opened now has heard of. */
  synchronized long sample() {
    return seen || count == 0 ? count : count - 1;
  }

  /** The latest error, if it is newer than what was heard of; null for none. */
  synchronized @Nullable ErrnoException since(long heard) {
    if (heard == count) {
      return null;
    }
    seen = true;
    return latest;
  }

  /** How many there were: all of them heard of after {@link #since}. */
  synchronized long count() {
    return count;
  }
}
