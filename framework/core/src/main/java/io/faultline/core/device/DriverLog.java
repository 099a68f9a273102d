// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import org.jspecify.annotations.Nullable;

/**
 * Hears what goes wrong in drivers. The engine writes no log of its own; the component that composes
 * it brings one in. Texts only: an exception of a driver's class, kept in some log's history, would
 * keep the driver's class loader alive.
 */
public interface DriverLog {
  /** Drops everything; the counters of {@link io.faultline.kernel.DeviceInfo} tell enough. */
  DriverLog NONE = (message, stackTrace) -> {
  };

  /**
   * A driver failed. Called on the thread that called the driver; must not throw.
   *
   * @param message one line with the device and the driver
   * @param stackTrace where the driver threw, one frame a line, or null
   */
  void problem(String message, @Nullable String stackTrace);
}
