// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A driver is upgraded, and goes and comes back, while processes do all that can meet it: open, map,
 * populate, lock, fork, exit, read, write.
 */
@FaultlineTest
@Timeout(1200)
class ComeAndGoTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");
  private static final int ROUNDS = 100;

  private final BootedKernel kernel;
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicLong rounds = new AtomicLong();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private StatefulDriver driver;
  private AutoCloseable plugged;
  private int version;

  ComeAndGoTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    kernel.gapMillis(1_800_000);
    kernel.keptBytes(1 << 20);
    driver = new StatefulDriver("0", kernel.pages(NODE.withVersion("0")));
    plugged = kernel.devices().register(NODE.withVersion("0"), driver);
  }

  private DeviceRegistration next() {
    return NODE.withVersion(Integer.toString(++version));
  }

  private void upgrade() throws Exception {
    DeviceRegistration next = next();
    StatefulDriver old = driver;
    driver = new StatefulDriver("upgraded");
    plugged = kernel.devices().replace(plugged, next, driver, done -> {
    });
    old.free();
  }

  private void gap() throws Exception {
    plugged.close();
    driver.free();
    driver = new StatefulDriver("came back");
    plugged = kernel.devices().register(next(), driver);
  }

  /** A process' life; page by page the driver's numbers are what they should be. */
  private void live(int number) throws ErrnoException {
    Program program = kernel.spawn();
    int fd = program.open("/dev/state", AccessMode.READ_WRITE);
    int flags = Mman.MAP_SHARED | (number % 2 == 0 ? Mman.MAP_POPULATE : 0);
    int first = number % 8;
    long address = program.mmap(fd, 8L * PAGE, RW, flags, (long) first * PAGE);
    UserMemory memory = program.task().newCpu();
    check(memory, address, first);
    program.madvise(address, 8L * PAGE, Mman.MADV_DONTNEED);
    switch (number % 3) {
      case 0 -> program.madvise(address, 8L * PAGE, Mman.MADV_POPULATE_READ);
      case 1 -> program.madvise(address, 8L * PAGE, Mman.MADV_POPULATE_WRITE);
      default -> kernel.vmas().mlock(program.task(), address, 4L * PAGE);
    }
    Program child = program.fork();
    program.munmap(address + 2L * PAGE, 2L * PAGE);
    assertThat(kernel.files().read(program.task(), fd, MemorySegment.ofArray(new byte[16])))
        .isPositive();
    assertThat(kernel.files().write(program.task(), fd, MemorySegment.ofArray(new byte[2])))
        .isEqualTo(2);
    kernel.tasks().exit(program.task(), 0);
    check(child.task().newCpu(), address, first);
    kernel.tasks().exit(child.task(), 0);
  }

  private static void check(UserMemory memory, long address, int first) {
    for (int i = 0; i < 8; i++) {
      assertThat(memory.getLong(address + (long) i * PAGE)).isEqualTo(first + i);
    }
  }

  private void lives(int thread) {
    try {
      for (int i = thread; !stop.get(); i++) {
        live(i);
        rounds.incrementAndGet();
      }
    } catch (Throwable e) {
      failures.add(e);
    }
  }

  @Test
  void nobodySeesMoreThanThatItTakesAMoment() throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      int thread = t;
      threads.add(Thread.ofPlatform().start(() -> lives(thread)));
    }
    for (int i = 0; i < ROUNDS && failures.isEmpty(); i++) {
      long before = rounds.get();
      if (i % 2 == 0) {
        gap();
      } else {
        upgrade();
      }
      // Let them in between, however quick that was.
      long end = System.nanoTime() + 60_000_000_000L;
      while (rounds.get() < before + 2 && failures.isEmpty() && System.nanoTime() < end) {
        Thread.sleep(1);
      }
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    assertThat(kernel.problems()).isEmpty();
    assertThat(rounds.get()).isGreaterThan(ROUNDS);
    assertThat(driver.areas).as("that the driver counts").hasValue(0);
    assertThat(kernel.pages(NODE.withVersion(Integer.toString(version))).allocated())
        .isEqualTo(StatefulDriver.PAGES);
    assertThat(kernel.kept()).isEmpty();
    kernel.validate();
    plugged.close();
    driver.free();
    assertThat(kernel.forget("/dev/state")).isEqualTo(1);
  }
}
