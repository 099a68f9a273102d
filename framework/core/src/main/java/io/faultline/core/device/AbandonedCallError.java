// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/**
 * A call into a driver has ended after all, long after the kernel gave it up. The locks that its thread
 * held were taken away, and whatever it was called for may be gone: nothing may be done but leave. An
 * Error, since no handler on the way may take it for a refusal and go on.
 */
public final class AbandonedCallError extends Error {
  private static final long serialVersionUID = 1;

  AbandonedCallError(String message) {
    super(message, null, false, false);
  }
}
