// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/** Works when the test says so. */
final class ByHand extends AbstractExecutorService {
  private final Queue<Runnable> work = new ArrayDeque<>();
  private boolean shutdown;

  @Override
  public void execute(Runnable task) {
    work.add(task);
  }

  /** Does all that is to be done; how much that was. */
  int run() {
    int count = 0;
    for (Runnable next = work.poll(); next != null; next = work.poll()) {
      next.run();
      count++;
    }
    return count;
  }

  @Override
  public void shutdown() {
    shutdown = true;
  }

  @Override
  public List<Runnable> shutdownNow() {
    shutdown = true;
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return shutdown;
  }

  @Override
  public boolean awaitTermination(long time, TimeUnit unit) {
    return shutdown;
  }
}
