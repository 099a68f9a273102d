// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.device.AccessMode;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/**
 * One process that works on one device as fast as it can: it writes pages through its mapping, reads
 * them back by the mapping and by {@code read}, and compares checksums; between rounds it drops its
 * page-table entries, so that every page faults again, and maps and unmaps a second area.
 */
final class Load implements Runnable, AutoCloseable {
  static final int PAGES = 32;
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int WORDS = PAGE / Long.BYTES;

  private final Tasks tasks;
  private final Files files;
  private final VmaService memory;
  private final Task task;
  private final int fd;
  private final long address;
  private final UserMemory cpu;
  private final long seed;
  private final MemorySegment page = MemorySegment.ofArray(new byte[PAGE]);
  private final long[] checksums = new long[PAGES];

  final AtomicLong accesses = new AtomicLong();
  final AtomicLong faults = new AtomicLong();
  final AtomicLong failed = new AtomicLong();
  final AtomicLong wrong = new AtomicLong();
  /** The longest access since it was last taken, in nanoseconds. */
  final AtomicLong longest = new AtomicLong();
  volatile String firstFailure = "";
  private volatile boolean stopped;

  Load(Tasks tasks, Files files, VmaService memory, String device, long seed)
      throws ErrnoException {
    this.tasks = tasks;
    this.files = files;
    this.memory = memory;
    this.seed = seed;
    task = tasks.spawn("soak");
    fd = files.open(task, device, AccessMode.READ_WRITE);
    for (int i = 0; i < PAGES; i++) {
      files.write(task, fd, MemorySegment.ofArray(new byte[PAGE]));
    }
    address = map();
    cpu = task.newCpu();
  }

  private long map() throws ErrnoException {
    return memory.mmap(
        task, 0, (long) PAGES * PAGE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_SHARED, fd, 0);
  }

  void stop() {
    stopped = true;
  }

  @Override
  public void run() {
    for (long round = 0; !stopped; round++) {
      try {
        round(round);
      } catch (ErrnoException | RuntimeException e) {
        if (failed.getAndIncrement() == 0) {
          firstFailure = e.toString();
        }
      }
    }
  }

  private interface Step {
    void run() throws ErrnoException;
  }

  private void timed(int count, Step step) throws ErrnoException {
    long began = System.nanoTime();
    step.run();
    long nanos = System.nanoTime() - began;
    accesses.addAndGet(count);
    if (nanos > longest.get()) {
      longest.accumulateAndGet(nanos, Math::max);
    }
  }

  private void round(long round) throws ErrnoException {
    for (int i = 0; i < PAGES; i++) {
      int index = i;
      fill(seed + round * PAGES + i);
      checksums[i] = checksum();
      timed(1, () -> cpu.write(address + (long) index * PAGE, page));
    }
    timed(1, () -> memory.madvise(task, address, (long) PAGES * PAGE, Mman.MADV_DONTNEED));
    faults.addAndGet(PAGES);
    for (int i = 0; i < PAGES; i++) {
      int index = i;
      timed(1, () -> cpu.read(address + (long) index * PAGE, page));
      compare(i);
    }
    int read = (int) (round % PAGES);
    timed(1, () -> files.seek(task, fd, (long) read * PAGE));
    timed(1, () -> {
      if (files.read(task, fd, page) != PAGE) {
        wrong.incrementAndGet();
      }
    });
    compare(read);
    long[] second = new long[1];
    timed(1, () -> second[0] = map());
    timed(1, () -> cpu.read(second[0] + (long) read * PAGE, page));
    faults.incrementAndGet();
    compare(read);
    timed(1, () -> memory.munmap(task, second[0], (long) PAGES * PAGE));
  }

  private void fill(long value) {
    long next = value * 0x9e3779b97f4a7c15L + 1;
    for (int w = 0; w < WORDS; w++) {
      page.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, w, next);
      next = next * 6364136223846793005L + 1442695040888963407L;
    }
  }

  private long checksum() {
    CRC32C crc = new CRC32C();
    crc.update(page.asByteBuffer());
    return crc.getValue();
  }

  private void compare(int index) {
    if (checksum() != checksums[index]) {
      wrong.incrementAndGet();
    }
  }

  /** One access to each page. */
  void touch() {
    for (int i = 0; i < PAGES; i++) {
      cpu.putLong(address + (long) i * PAGE, i);
    }
  }

  /** Whether an access gets a signal. */
  boolean isRefused() {
    try {
      long unused = cpu.getLong(address);
      return false;
    } catch (SignalException expected) {
      return true;
    }
  }

  @Override
  public void close() {
    tasks.exit(task, 0);
  }
}
