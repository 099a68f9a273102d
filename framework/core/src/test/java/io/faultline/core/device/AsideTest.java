// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.component.DriverThreadPool;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls into drivers on a thread that is not the caller's. */
@Timeout(600)
class AsideTest {
  private final DeviceRig rig = new DeviceRig();
  private final DriverThreadPool pool = new DriverThreadPool();

  AsideTest() {
    rig.watchdog.setThreads(pool);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void withoutAThreadToBeHadTheCallIsMadeAllTheSame() throws ErrnoException {
    List<Thread> opened = new ArrayList<>();
    Driver unused = rig.table.register(DeviceRig.named("d"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        opened.add(Thread.currentThread());
      }
    });

    rig.watchdog.setThreads(call -> {
      throw new OutOfMemoryError("unable to create native thread");
    });
    rig.open("d").release();
    rig.watchdog.setThreads(call -> {
      throw new RejectedExecutionException("closed");
    });
    Thread.currentThread().interrupt();
    rig.open("d").release();

    assertThat(Thread.interrupted()).as("an interrupt is still there").isTrue();
    assertThat(opened).containsExactly(Thread.currentThread(), Thread.currentThread());
    assertThat(rig.log).isEmpty();
  }

  @Test
  void theContextClassLoaderIsTheCallersAndStaysNowhere() throws Exception {
    LinkedBlockingQueue<ClassLoader> seen = new LinkedBlockingQueue<>();
    Driver unused = rig.table.register(DeviceRig.named("d"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        seen.add(Thread.currentThread().getContextClassLoader());
        Thread.currentThread().setContextClassLoader(null);
      }
    });
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try (URLClassLoader mine = new URLClassLoader(new URL[0])) {
      Thread.currentThread().setContextClassLoader(mine);
      rig.open("d").release();
      assertThat(seen.take()).isSameAs(mine);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }

    pool.start(() -> seen.add(Thread.currentThread().getContextClassLoader()));

    assertThat(seen.take()).isSameAs(DriverThreadPool.class.getClassLoader());
  }

  @Test
  void oneInterruptOfTheCallerIsOneOfTheDriver() throws ErrnoException {
    int[] interrupts = {0};
    Driver unused = rig.table.register(DeviceRig.named("d"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        for (int i = 0; i < 20; i++) {
          LockSupport.parkNanos(1_000_000);
          interrupts[0] += Thread.interrupted() ? 1 : 0;
        }
      }
    });

    Thread.currentThread().interrupt();
    rig.open("d").release();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(interrupts[0]).isEqualTo(1);
  }

  @Test
  void whatADriverDoesNotOverrideNeedsNoThread() throws ErrnoException {
    rig.watchdog.setThreads(call -> {
      throw new AssertionError("nobody is to be called");
    });
    Driver unused = rig.table.register(DeviceRig.named("d"), new MmapProvider() {});

    rig.open("d").release();

    assertThat(rig.log).isEmpty();
  }

  @Test
  void aFileThatIsOpenedLongAfterItsCallerHasLeftIsReleased() throws Exception {
    rig.limit(100);
    CountDownLatch over = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Driver unused = rig.table.register(rig.hasty("d"), new MmapProvider() {
      @Override
      public void open(OpenFile file) {
        while (over.getCount() > 0) {
          LockSupport.parkNanos(1_000_000);
          boolean ignored = Thread.interrupted();
        }
      }

      @Override
      public void release(OpenFile file) {
        released.countDown();
      }
    });
    assertThatThrownBy(() -> rig.open("d")).isInstanceOfSatisfying(
        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
    assertThat(released.getCount()).isEqualTo(1);

    over.countDown();

    released.await();
  }
}
