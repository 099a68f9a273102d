// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.file;

import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MS_SYNC;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.core.memory.FrameCounts;
import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Processes that write one file while it is written back, moved, cut off and short of memory. */
@Timeout(600)
class PageCacheStressTest {
  private static final int RW = PROT_READ | PROT_WRITE;
  private static final int WRITERS = 3;
  private static final long RUN_NANOS = 1_500_000_000L;

  private final StoredFiles disk = new StoredFiles();

  /** Something that goes on until it is stopped. */
  private interface Work {
    void step() throws Exception;
  }

  private static Callable<Long> repeat(AtomicBoolean stop, Work work) {
    return () -> {
      long steps = 0;
      // One at least, however late the thread has begun.
      do {
        work.step();
        steps++;
      } while (!stop.get());
      return steps;
    };
  }

  private static void run(List<Callable<Long>> works, AtomicBoolean stop) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(works.size());
    try {
      List<Future<Long>> running = new ArrayList<>();
      works.forEach(work -> running.add(threads.submit(work)));
      long end = System.nanoTime() + RUN_NANOS;
      while (System.nanoTime() < end && running.stream().noneMatch(Future::isDone)) {
        Thread.sleep(10);
      }
      stop.set(true);
      for (Future<Long> one : running) {
        assertThat(one.get()).isPositive();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private Kernel boot(long bytes) {
    Kernel kernel = new Kernel(bytes, KernelProfile.LINUX_6_18, DriverLog.NONE);
    kernel.devices().mount("/disk", DeviceRegistration.of("stored"), disk);
    return kernel;
  }

  /**
   * Every writer counts in a slot of its own in each page, by its own process; others write back, map
   * and unmap, and the file is four times the memory.
   */
  @Test
  void noStoreIsLost() throws Exception {
    storeAndWriteBack(64 << 20, 64);
  }

  @Test
  void noStoreIsLostWhereMemoryIsScarce() throws Exception {
    storeAndWriteBack(2 << 20, 2048);
  }

  private void storeAndWriteBack(long memory, int pages) throws Exception {
    StoredFiles.Stored file = disk.add("f", pages * PAGE_SIZE);
    Arrays.fill(file.bytes, (byte) 0);
    long[][] expected = new long[WRITERS][pages];
    try (Kernel kernel = boot(memory)) {
      FrameCounts atBoot = kernel.frames();
      AtomicBoolean stop = new AtomicBoolean();
      List<Callable<Long>> works = new ArrayList<>();
      for (int w = 0; w < WRITERS; w++) {
        works.add(writer(kernel, pages, w, expected[w], stop));
      }
      works.add(syncer(kernel, pages, stop));
      works.add(repeat(stop, () -> kernel.writeback(0)));
      run(works, stop);

      kernel.validate();
      kernel.tasks().list().forEach(task -> kernel.tasks().exit(task, 0));
      kernel.validate();
      MemorySegment stored = MemorySegment.ofArray(file.bytes);
      for (int w = 0; w < WRITERS; w++) {
        for (int page = 0; page < pages; page++) {
          assertThat(stored.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) page * PAGE_SIZE + 8L * w))
              .as("writer %d in page %d", w, page).isEqualTo(expected[w][page]);
        }
      }
      assertThat(kernel.frames().file()).isZero();
      assertThat(kernel.frames().free()).isEqualTo(atBoot.free());
    }
  }

  private static Callable<Long> writer(
      Kernel kernel, int pages, int slot, long[] counts, AtomicBoolean stop)
      throws ErrnoException {
    Task task = kernel.tasks().spawn("writer");
    int fd = kernel.files().open(task, "/disk/f", AccessMode.READ_WRITE);
    long bytes = (long) pages * PAGE_SIZE;
    long address = kernel.calls().mmap(task, 0, bytes, RW, MAP_SHARED, fd, 0);
    Random random = new Random(slot);
    UserMemory[] memory = {null};
    return repeat(stop, () -> {
      UserMemory mine = memory[0] == null ? memory[0] = task.newCpu() : memory[0];
      int page = random.nextInt(pages);
      long at = address + (long) page * PAGE_SIZE + 8L * slot;
      assertThat(mine.getLong(at)).isEqualTo(counts[page]);
      mine.putLong(at, counts[page] + 1);
      counts[page]++;
    });
  }

  /** Writes back through a mapping that comes, moves and goes. */
  private static Callable<Long> syncer(Kernel kernel, int pages, AtomicBoolean stop)
      throws ErrnoException {
    Task task = kernel.tasks().spawn("syncer");
    int fd = kernel.files().open(task, "/disk/f", AccessMode.READ_WRITE);
    long bytes = (long) pages * PAGE_SIZE;
    return repeat(stop, () -> {
      long first = kernel.calls().mmap(task, 0, bytes, RW, MAP_SHARED, fd, 0);
      task.newCpu().getLong(first);
      long room = kernel.calls().mmap(
          task, 0, bytes, PROT_READ, MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
      kernel.calls().mremap(
          task, first, bytes, bytes, Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, room);
      kernel.calls().msync(task, room, bytes, MS_SYNC);
      kernel.calls().munmap(task, room, bytes);
    });
  }

  /** Faults race with truncation: afterwards no page behind the end is mapped anywhere. */
  @Test
  void truncationLeavesNoPageBehindTheEnd() throws Exception {
    int pages = 32;
    disk.add("f", pages * PAGE_SIZE);
    try (Kernel kernel = boot(16 << 20)) {
      AtomicBoolean stop = new AtomicBoolean();
      List<Callable<Long>> works = new ArrayList<>();
      for (int flags : new int[] {MAP_SHARED, MAP_PRIVATE, MAP_PRIVATE}) {
        Task task = kernel.tasks().spawn("toucher");
        int fd = kernel.files().open(task, "/disk/f", AccessMode.READ_WRITE);
        long address =
            kernel.calls().mmap(task, 0, (long) pages * PAGE_SIZE, RW, flags, fd, 0);
        Random random = new Random(flags);
        UserMemory[] memory = {null};
        works.add(repeat(stop, () -> {
          UserMemory mine = memory[0] == null ? memory[0] = task.newCpu() : memory[0];
          long at = address + (long) random.nextInt(pages) * PAGE_SIZE;
          try {
            if (random.nextBoolean()) {
              mine.putByte(at, (byte) 1);
            } else {
              mine.getByte(at);
            }
          } catch (SignalException behindTheEnd) {
            assertThat(behindTheEnd).hasMessageContaining("BUS_ADRERR");
          }
        }));
      }
      Task cutter = kernel.tasks().spawn("cutter");
      int fd = kernel.files().open(cutter, "/disk/f", AccessMode.READ_WRITE);
      Random random = new Random(7);
      works.add(repeat(stop, () -> {
        kernel.files().ftruncate(cutter, fd, random.nextInt(pages * PAGE_SIZE));
        kernel.files().ftruncate(cutter, fd, (long) pages * PAGE_SIZE);
      }));
      works.add(repeat(stop, () -> kernel.writeback(0)));
      run(works, stop);
      kernel.validate();

      kernel.files().ftruncate(cutter, fd, 0);
      kernel.validate();
      assertThat(kernel.frames().file()).isZero();
      assertThat(kernel.frames().anonymous()).as("private copies").isZero();
    }
  }
}
