// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** How much drivers may do wrong, and which have done more. Thread-safe. */
final class DriverLimits {
  private volatile long errorBudget;
  private volatile long gapMillis;
  private final Queue<Driver> toZap = new ConcurrentLinkedQueue<>();

  /** So many errors of one driver are forgiven; 0 for any number. */
  long errorBudget() {
    return errorBudget;
  }

  void setErrorBudget(long errors) {
    errorBudget = errors;
  }

  /** How long accesses wait for a driver that went. */
  long gapMillis() {
    return gapMillis;
  }

  void setGapMillis(long millis) {
    gapMillis = millis;
  }

  /** The driver's pages are to be taken out of address spaces, by a thread that holds no lock. */
  void quarantined(Driver driver) {
    toZap.add(driver);
  }

  @Nullable Driver nextToZap() {
    return toZap.poll();
  }
}
