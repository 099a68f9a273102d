// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.device.DriverThreads;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * As many daemon threads as calls into drivers are under way at once. One ends when it was not needed
 * for {@value #IDLE_MILLIS} ms: it must not keep for long what a driver has left in its thread-locals.
 * Needs no closing. Thread-safe.
 */
public final class DriverThreadPool implements DriverThreads {
  private static final int IDLE_MILLIS = 500;

  private final AtomicInteger number = new AtomicInteger();
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          0, Integer.MAX_VALUE, IDLE_MILLIS, TimeUnit.MILLISECONDS, new SynchronousQueue<>(),
          this::thread);

  private Thread thread(Runnable body) {
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("faultline-driver-call-" + number.incrementAndGet())
            // Nothing of the thread that happened to need one first.
            .inheritInheritableThreadLocals(false)
            .unstarted(body);
    thread.setContextClassLoader(DriverThreadPool.class.getClassLoader());
    return thread;
  }

  @Override
  public void start(Runnable call) {
    threads.execute(call);
  }
}
