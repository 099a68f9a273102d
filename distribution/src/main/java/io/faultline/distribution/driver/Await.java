// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits by looking again and again. File Install, Declarative Services and the kernel follow a file one
 * after the other, and no event says that all of them have.
 */
final class Await {
  /** For what comes of itself, if only the machine is slow enough: whoever waits in vain is told why. */
  static final long PATIENCE_MILLIS = 60_000;

  /** For what need not come at all. */
  static final long HOPE_MILLIS = 10_000;

  private static final long BETWEEN_LOOKS_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private Await() {}

  /**
   * The first thing that a look finds, or null when it never finds any.
   *
   * @throws InterruptedException when the thread is interrupted before something is found
   */
  static <T> @Nullable T found(Supplier<@Nullable T> look) throws InterruptedException {
    return found(look, PATIENCE_MILLIS);
  }

  private static <T> @Nullable T found(Supplier<@Nullable T> look, long millis)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    T found = look.get();
    while (found == null && System.nanoTime() - end < 0) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
      found = look.get();
    }
    return found;
  }

  /** Whether something comes true in time. */
  static boolean until(BooleanSupplier isTrue) throws InterruptedException {
    return until(isTrue, PATIENCE_MILLIS);
  }

  /**
   * Whether something comes true in time.
   *
   * @param millis how long it may take
   * @throws InterruptedException when the thread is interrupted before it is true
   */
  static boolean until(BooleanSupplier isTrue, long millis) throws InterruptedException {
    return found(() -> isTrue.getAsBoolean() ? Boolean.TRUE : null, millis) != null;
  }
}
