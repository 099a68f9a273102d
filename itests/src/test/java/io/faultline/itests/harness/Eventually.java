// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import java.lang.ref.WeakReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another thread brings about. */
public final class Eventually {
  /** Of a machine that is slow and busy: who waits for what happens does not wait as long. */
  private static final long PATIENCE_NANOS = 180_000_000_000L;
  private static final long BETWEEN_LOOKS_NANOS = 5_000_000;

  private Eventually() {}

  /** Looks until it holds; fails with the description after three minutes. */
  public static void holds(String description, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("did not come about within three minutes: " + description);
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
    }
  }

  /** Looks until nothing refers to it any more. */
  public static void collected(String description, WeakReference<?> reference) {
    holds(description + " is collected", () -> {
      System.gc();
      return reference.refersTo(null);
    });
  }
}
