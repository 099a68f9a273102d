// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/** Brings in the threads that calls are made on which their callers must be able to leave. */
@FunctionalInterface
public interface DriverThreads {
  /**
   * Runs something on a thread of its own, at once: never in a queue behind another call, which might not
   * end.
   *
   * @throws java.util.concurrent.RejectedExecutionException when it gives no thread; the call is then made
   *     by who wanted it
   */
  void start(Runnable call);
}
