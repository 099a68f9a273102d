// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static io.faultline.mm.Mman.MADV_DONTNEED;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several processors of one process, and several processes, at once. */
@Timeout(600)
class ConcurrencyTest {
  private static final int THREADS = 4;
  private static final int ROUNDS = 4_000;
  private static final long BASE = 0x2000_0000L;

  private long framesInUse(Kernel kernel) {
    return kernel.frames().used();
  }

  @Test
  void faultsRaceWithUnmapsAndForksAndNothingIsLost() throws Exception {
    try (Kernel kernel = new Kernel(64 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE)) {
      long before = framesInUse(kernel);
      Task task = kernel.tasks().spawn("busy");
      long shared =
          kernel
              .calls()
              .mmap(
                  task, 0, THREADS * PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      AtomicBoolean stop = new AtomicBoolean();
      ExecutorService threads = Executors.newFixedThreadPool(THREADS + 1);
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int number = i;
        running.add(threads.submit(() -> churn(kernel, task, number, shared)));
      }
      Future<?> forking = threads.submit(() -> forkAndExit(kernel, task, stop));
      for (Future<?> one : running) {
        one.get(8, TimeUnit.MINUTES);
      }
      stop.set(true);
      forking.get(8, TimeUnit.MINUTES);
      threads.shutdown();

      UserMemory memory = task.newCpu();
      for (int i = 0; i < THREADS; i++) {
        assertThat(memory.getLong(shared + (long) i * PAGE_SIZE)).isEqualTo(ROUNDS);
      }
      kernel.validate();
      kernel.tasks().exit(task, 0);
      assertThat(framesInUse(kernel)).isEqualTo(before);
    }
  }

  /** Maps, writes, reads back, discards and unmaps a range of its own; counts in a shared page. */
  private static Void churn(Kernel kernel, Task task, int number, long shared)
      throws ErrnoException {
    UserMemory memory = task.newCpu();
    long mine = BASE + number * 0x100_0000L;
    long length = 4 * PAGE_SIZE;
    for (int round = 0; round < ROUNDS; round++) {
      kernel
          .calls()
          .mmap(
              task, mine, length, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      for (long page = mine; page < mine + length; page += PAGE_SIZE) {
        if (memory.getLong(page) != 0) {
          throw new AssertionError("a fresh page is not zero");
        }
        memory.putLong(page, round + 1L);
      }
      for (long page = mine; page < mine + length; page += PAGE_SIZE) {
        if (memory.getLong(page) != round + 1L) {
          throw new AssertionError("a page lost what was written to it");
        }
      }
      kernel.calls().madvise(task, mine + PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
      if (memory.getLong(mine + PAGE_SIZE) != 0) {
        throw new AssertionError("a discarded page is not zero");
      }
      kernel.calls().munmap(task, mine, length);
      try {
        memory.getLong(mine);
        throw new AssertionError("an unmapped page can be read");
      } catch (SignalException expected) {
        // As it should be.
      }
      memory.putLong(shared + (long) number * PAGE_SIZE, round + 1L);
    }
    return null;
  }

  private static Void forkAndExit(Kernel kernel, Task task, AtomicBoolean stop)
      throws ErrnoException {
    while (!stop.get()) {
      Task child = kernel.tasks().fork(task);
      UserMemory memory = child.newCpu();
      try {
        memory.putLong(BASE, -1);
      } catch (SignalException notMappedJustNow) {
        // The parent is between two rounds.
      }
      kernel.tasks().exit(child, 0);
    }
    return null;
  }
}
