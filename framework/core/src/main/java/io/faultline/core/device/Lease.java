// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import org.jspecify.annotations.Nullable;

/**
 * The kernel's only hold on an object of a driver. Read {@link #orNull} afresh for each call, and
 * only between {@link CallSlot#enter} and {@link CallSlot#exit}: the revoking thread first empties
 * the lease and then waits for the calls that were entered before.
 */
final class Lease<T> {
  private volatile @Nullable T target;

  Lease(T target) {
    this.target = target;
  }

  /** The driver's object, or null once the driver is gone. */
  @Nullable T orNull() {
    return target;
  }

  void revoke() {
    target = null;
  }
}
