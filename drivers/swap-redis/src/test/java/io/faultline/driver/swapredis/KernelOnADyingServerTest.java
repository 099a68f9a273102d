// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.testkit.BootedKernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 of the server while a kernel swaps to it, and the server's return. */
@Timeout(1200)
class KernelOnADyingServerTest {
  private static final int FRAMES = 1024;
  private static final int CALM = 64;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final long PRESENT = 1L << 63;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;

  @TempDir Path folder;

  private final BootedKernel kernel =
      BootedKernel.boot(FRAMES * Mman.PAGE_SIZE, KernelProfile.LINUX_6_18);
  private final List<Load> loads = new ArrayList<>();
  private RedisServer server;
  private SwapRedis device;

  /** A process of twice as many pages as fit beside its like, that reads and writes at random. */
  private final class Load {
    final Task task = kernel.tasks().spawn("load");
    final UserMemory memory = task.newCpu();
    final int pages;
    final long base;
    final long[] values;
    final Queue<Siginfo> refused = new ConcurrentLinkedQueue<>();
    final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    final AtomicLong done = new AtomicLong();
    volatile boolean over;
    Thread thread;

    Load(int pages) throws ErrnoException {
      this.pages = pages;
      values = new long[pages];
      base = kernel.vmas().mmap(task, 0, pages * Mman.PAGE_SIZE, RW,
          Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
      for (int i = 0; i < pages; i++) {
        write(memory, i, i + 1L);
      }
    }

    void write(UserMemory view, int page, long value) {
      view.putLong(base + page * Mman.PAGE_SIZE + 8, value);
      values[page] = value;
    }

    void check(UserMemory view, int page) {
      long found = view.getLong(base + page * Mman.PAGE_SIZE + 8);
      if (found != values[page]) {
        wrong.add("page %d: %d instead of %d".formatted(page, found, values[page]));
      }
    }

    void start() {
      SplittableRandom random = new SplittableRandom(task.pid());
      thread = Thread.ofPlatform().daemon().start(() -> {
        while (!over) {
          int page = random.nextInt(pages);
          try {
            if (random.nextInt(3) == 0) {
              write(memory, page, random.nextLong());
            } else {
              check(memory, page);
            }
            done.incrementAndGet();
          } catch (SignalException e) {
            refused.add(e.info());
          }
        }
      });
    }

    void stop() throws InterruptedException {
      over = true;
      thread.join();
    }
  }

  @BeforeAll
  static void needsAServer() {
    RedisServer.require();
  }

  @BeforeEach
  void start() throws Exception {
    // With its file it comes back with what it had.
    server = RedisServer.start(folder, "--appendonly", "yes");
    device = new SwapRedis(List.of(server.uri()), "kernel", 8 * FRAMES, TIMEOUT, TIMEOUT);
    kernel.swaps().swapon(device, 0);
  }

  @AfterEach
  void allIsGivenBack() throws Exception {
    for (Load load : loads) {
      load.stop();
    }
    kernel.tasks().list().forEach(task -> kernel.tasks().exit(task, 0));
    kernel.swaps().swapoff(device.name());
    kernel.close();
    server.kill();
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + 300_000_000_000L;
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      // A real server and the kernel's own threads: nobody tells.
      Thread.sleep(5);
    }
  }

  private SwapInfo swap() {
    return kernel.swaps().list().getFirst();
  }

  @Test
  void onlyAccessesToPagesOutThereFailUntilTheServerIsBack() throws Exception {
    Task calm = kernel.tasks().spawn("calm");
    UserMemory calmMemory = calm.newCpu();
    long base = kernel.vmas().mmap(calm, 0, CALM * Mman.PAGE_SIZE, RW,
        Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
    kernel.vmas().mlock(calm, base, CALM * Mman.PAGE_SIZE);
    loads.add(new Load(FRAMES));
    loads.add(new Load(FRAMES));
    loads.forEach(Load::start);
    await("both swap", () -> swap().reads() > 500 && swap().writes() > 500);

    server.kill();
    await("both are refused", () -> loads.stream().allMatch(load -> load.refused.size() > 20));
    for (Load load : loads) {
      assertThat(load.refused).allSatisfy(info -> {
        assertThat(info.code()).isEqualTo(SignalCode.BUS_ADRERR);
        assertThat(info.cause()).contains(device.name());
      });
      assertThat(load.task.alive()).as("nobody is killed").isTrue();
    }
    for (int i = 0; i < 10 * CALM; i++) {
      long address = base + i % CALM * Mman.PAGE_SIZE;
      calmMemory.putLong(address, i);
      assertThat(calmMemory.getLong(address)).as("who is in memory does not notice").isEqualTo(i);
    }
    for (Load load : loads) {
      load.stop();
      UserMemory view = load.task.newCpu();
      long[] words = kernel.proc().pagemap(load.task, load.base, load.pages);
      int here = 0;
      for (int page = 0; page < load.pages; page++) {
        if ((words[page] & PRESENT) != 0) {
          here++;
          load.check(view, page);
        }
      }
      assertThat(here).isPositive().isLessThan(load.pages);
      assertThat(load.wrong).isEmpty();
    }
    kernel.validate();
    kernel.tasks().exit(kernel.tasks().spawn("newcomer"), 0);

    server.start();
    long reads = swap().reads();
    long writes = swap().writes();
    for (Load load : loads) {
      load.over = false;
      load.start();
    }
    await("both swap again", () -> swap().reads() > reads + 500 && swap().writes() > writes + 500);
    for (Load load : loads) {
      load.stop();
      for (int page = 0; page < load.pages; page++) {
        load.check(load.memory, page);
      }
      assertThat(load.wrong).as("what was out there is back, to the byte").isEmpty();
    }
    kernel.validate();
  }
}
