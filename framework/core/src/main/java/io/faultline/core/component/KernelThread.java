// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

/** A daemon of the kernel's. Closing it interrupts it, and waits a moment for its end. */
final class KernelThread implements AutoCloseable {
  private static final long JOIN_MILLIS = 1000;

  private final Thread thread;

  /**
   * Starts it.
   *
   * @param name after {@code faultline-}
   * @param body ends when it is interrupted
   */
  KernelThread(String name, Runnable body) {
    thread = Thread.ofPlatform().daemon().name("faultline-" + name).start(body);
  }

  /**
   * Starts one that does its work again and again. When that fails it goes on all the same, since nobody
   * else would do it; the first failure is logged.
   *
   * @param name after {@code faultline-}
   * @param millis how long it sleeps in between
   * @param what it does, for the log
   */
  static KernelThread every(
      String name, long millis, Runnable work, String what, KernelLog log) {
    return new KernelThread(name, () -> repeat(millis, work, what, log));
  }

  private static void repeat(long millis, Runnable work, String what, KernelLog log) {
    boolean failed = false;
    try {
      while (!Thread.interrupted()) {
        Thread.sleep(millis);
        try {
          work.run();
        } catch (RuntimeException | Error e) {
          if (!failed) {
            failed = true;
            log.warning(what + " failed and goes on: " + e);
          }
        }
      }
    } catch (InterruptedException closed) {
      // The end.
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
