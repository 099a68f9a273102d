// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import java.util.concurrent.atomic.AtomicLong;

/** What one thread of the soak has counted; written by it, read by others. */
final class Meter {
  final AtomicLong accesses = new AtomicLong();
  final AtomicLong faults = new AtomicLong();
  final AtomicLong failed = new AtomicLong();
  final AtomicLong wrong = new AtomicLong();
  /** The longest access since it was last taken, in nanoseconds. */
  final AtomicLong longest = new AtomicLong();
  volatile String firstFailure = "";

  /** Something that may be refused. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  /** One access, timed. */
  void timed(Step step) throws Exception {
    long began = System.nanoTime();
    step.run();
    long nanos = System.nanoTime() - began;
    accesses.incrementAndGet();
    if (nanos > longest.get()) {
      longest.accumulateAndGet(nanos, Math::max);
    }
  }

  void failed(Exception why) {
    if (failed.getAndIncrement() == 0) {
      firstFailure = why.toString();
    }
  }

  void compare(boolean equal) {
    if (!equal) {
      wrong.incrementAndGet();
    }
  }
}
