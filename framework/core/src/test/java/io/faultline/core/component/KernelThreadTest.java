// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's daemons. */
@Timeout(120)
class KernelThreadTest {
  private final CountDownLatch ended = new CountDownLatch(1);

  @Test
  void closingInterruptsAndWaitsForTheEnd() throws Exception {
    AtomicReference<Thread> thread = new AtomicReference<>();
    CountDownLatch running = new CountDownLatch(1);
    try (KernelThread daemon = new KernelThread("test", () -> {
      thread.set(Thread.currentThread());
      running.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException closed) {
        ended.countDown();
      }
    })) {
      running.await();
      assertThat(thread.get().getName()).isEqualTo("faultline-test");
      assertThat(thread.get().isDaemon()).isTrue();
    }
    ended.await();
  }

  @Test
  void workThatFailsGoesOnAndIsLoggedOnce() throws Exception {
    LinkedBlockingQueue<String> log = new LinkedBlockingQueue<>();
    Handler handler = hearing(log);
    Logger logger = Logger.getLogger(KernelLog.NAME);
    logger.addHandler(handler);
    CountDownLatch rounds = new CountDownLatch(3);
    Runnable work = () -> {
      rounds.countDown();
      throw new IllegalStateException("round " + rounds.getCount());
    };
    try (KernelThread daemon =
        KernelThread.every("test", 1, work, "the test", new KernelLog())) {
      rounds.await();
      assertThat(log.poll(60, TimeUnit.SECONDS))
          .startsWith("the test failed and goes on: ").endsWith("round 2");
    } finally {
      logger.removeHandler(handler);
    }
    List<String> more = new ArrayList<>();
    log.drainTo(more);
    assertThat(more).isEmpty();
  }

  private static Handler hearing(LinkedBlockingQueue<String> log) {
    return new Handler() {
      @Override
      public void publish(LogRecord record) {
        log.add(record.getMessage());
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }
}
