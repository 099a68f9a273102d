// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

/** {@code kswapd}: a daemon that takes pages out before memory is used up. */
final class ReclaimThread implements AutoCloseable {
  private static final long JOIN_MILLIS = 1000;

  private final Thread thread;

  ReclaimThread(Runnable reclaim) {
    this.thread = Thread.ofPlatform().daemon().name("faultline-kswapd").start(reclaim);
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
