// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

/** Where an access waits for a driver that is being replaced. No lock of a space may be held. */
@FunctionalInterface
public interface Parking {
  /**
   * Waits until something has changed, or for a moment; then the access is tried again.
   *
   * @return false when the thread was interrupted: the access is refused
   */
  boolean pause();
}
