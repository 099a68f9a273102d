// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what the kernel does, while it does it. Register it as an OSGi service; without any listener
 * the kernel makes no events at all.
 */
@ConsumerType
public interface TraceListener {
  /**
   * One event. Called on the thread that acts, with kernel locks held: return at once, call nothing.
   * A listener that throws is ignored.
   */
  void event(TraceEvent event);
}
