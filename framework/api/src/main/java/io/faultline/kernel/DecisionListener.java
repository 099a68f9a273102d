// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears which rules decide the outcome of the calls and faults of one process; attached with {@link
 * Task#explainTo}. Where nobody listens the kernel makes no decision records at all.
 */
@ConsumerType
@FunctionalInterface
public interface DecisionListener {
  /**
   * One decision, in the order in which they fall. Called on the thread that acts, with kernel locks
   * held: return at once, call nothing. A listener that throws is ignored.
   */
  void decided(Decision decision);
}
