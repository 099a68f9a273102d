// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.osgi.annotation.versioning.ConsumerType;

/** Hears how far a core dump is. Called on the thread that dumps; no kernel lock is held. */
@ConsumerType
@FunctionalInterface
public interface CoreProgress {
  /** Hears nothing. */
  CoreProgress NONE = (done, total) -> {
  };

  /**
   * Some more was dumped. What this throws ends the dump and comes out of it.
   *
   * @param done bytes of the core so far, holes included
   * @param total bytes that it will have
   */
  void dumped(long done, long total);
}
