// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Access;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/**
 * The promise of {@link PageTables#flush} under load: processors store and load through a few pages
 * while other threads unmap them, free the frames, get them again as somebody else's, and look whether
 * anybody still writes into them.
 *
 * <p>Everything that a processor stores is odd and everything that lies in somebody else's frame is
 * even, so that each single violation is seen.
 */
class FlushStressTest {
  private static final long BASE = 0x5555_0000_0000L;
  private static final int PAGES = 4;
  private static final long MILLIS = Long.getLong("faultline.stress.millis", 1_500);

  private final PhysicalMemory memory = new PhysicalMemory(1 << 20);
  private final PageTables tables = new PageTables(memory);
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final AtomicLong accesses = new AtomicLong();
  private final AtomicLong zaps = new AtomicLong();

  /** Maps a zero page where there is none, as the anonymous fault does. */
  private void fault(long address, Access access) {
    long page = address & -4096;
    long frame;
    do {
      frame = memory.allocate(FrameUse.ANONYMOUS);
      if (frame == PhysicalMemory.NONE) {
        Thread.yield();
      }
    } while (frame == PhysicalMemory.NONE);
    if (!tables.compareAndSet(page, 0,
        Pte.of(frame, Pte.protection(true, true, false, 0), Pte.ANON))) {
      memory.put(frame);
    }
  }

  private void zap(long page) {
    FrameGather gather = new FrameGather(tables);
    tables.visit(page, page + 4096, (address, entry) -> {
      gather.add(address, Pte.frame(entry));
      return 0;
    });
    gather.finish();
    zaps.incrementAndGet();
  }

  @Test
  void noStoreReachesAFrameThatWasFreed() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      int seed = t;
      threads.add(start(() -> storeAndLoad(seed)));
      threads.add(start(() -> zapAndReuse(seed)));
    }
    run(threads);
  }

  @Test
  void aThreadThatZapsItsOwnPagesIsAsSafe() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      int seed = t;
      threads.add(start(() -> {
        Cpu cpu = new Cpu(tables, this::fault);
        Random random = new Random(seed);
        while (!stop.get()) {
          accessOnce(cpu, random);
          if (random.nextInt(20) == 0) {
            zap(BASE + random.nextInt(PAGES) * 4096L);
          }
          reuseOne(random);
        }
      }));
    }
    run(threads);
  }

  @Test
  void aProcessorThatChangesHandsIsAsSafe() throws InterruptedException {
    Cpu shared = new Cpu(tables, this::fault);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      int seed = t;
      threads.add(start(() -> {
        Random random = new Random(seed);
        while (!stop.get()) {
          synchronized (shared) {
            for (int i = 0; i < 20; i++) {
              accessOnce(shared, random);
            }
          }
          zap(BASE + random.nextInt(PAGES) * 4096L);
          reuseOne(random);
        }
      }));
    }
    run(threads);
  }

  private void storeAndLoad(int seed) {
    Cpu cpu = new Cpu(tables, this::fault);
    Random random = new Random(seed);
    while (!stop.get()) {
      for (int i = 0; i < 100; i++) {
        accessOnce(cpu, random);
      }
      accesses.addAndGet(100);
    }
  }

  /** Stores an odd number or looks at one: 0 before the first store, or odd. */
  private void accessOnce(Cpu cpu, Random random) {
    long address = BASE + random.nextInt(PAGES * 512) * 8L;
    switch (random.nextInt(8)) {
      case 0, 1, 2 -> cpu.putLong(address, random.nextLong() | 1);
      case 3 -> cpu.putInt(address, random.nextInt() | 1);
      case 4 -> {
        long value = cpu.getLong(address);
        cpu.compareAndSetLong(address, value, value | 1);
      }
      case 5 -> {
        long[] bytes = {1, 3, 5, 7};
        if ((address & 4095) <= 4064) {
          cpu.write(address, MemorySegment.ofArray(bytes));
        }
      }
      case 6 -> {
        long[] bytes = new long[4];
        if ((address & 4095) <= 4064) {
          cpu.read(address, MemorySegment.ofArray(bytes));
          for (long value : bytes) {
            checkMine(value);
          }
        }
      }
      default -> checkMine(cpu.getLong(address));
    }
  }

  private static void checkMine(long value) {
    if (value != 0 && (value & 1) == 0) {
      throw new AssertionError("loaded from somebody else's frame: " + Long.toHexString(value));
    }
  }

  private void zapAndReuse(int seed) {
    Random random = new Random(100 + seed);
    while (!stop.get()) {
      zap(BASE + random.nextInt(PAGES) * 4096L);
      reuseOne(random);
    }
  }

  /** Gets a frame, the one freed last, and looks whether it is left alone. */
  private void reuseOne(Random random) {
    long frame = memory.allocate(FrameUse.KERNEL);
    if (frame == PhysicalMemory.NONE) {
      return;
    }
    MemorySegment page = memory.segment(frame);
    checkAll(page, 0);
    long mine = random.nextLong() & ~0xFFFF_FFFFL | 2;
    for (long i = 0; i < 4096; i += 8) {
      page.set(ValueLayout.JAVA_LONG, i, mine);
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      Thread.onSpinWait();
    }
    checkAll(page, mine);
    memory.put(frame);
  }

  private static void checkAll(MemorySegment page, long expected) {
    for (long i = 0; i < 4096; i += 8) {
      long value = page.get(ValueLayout.JAVA_LONG, i);
      if (value != expected) {
        throw new AssertionError("somebody stored " + Long.toHexString(value)
            + " into a frame that was freed and is another's");
      }
    }
  }

  private Thread start(Runnable body) {
    return Thread.ofPlatform().unstarted(() -> {
      try {
        body.run();
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
        stop.set(true);
      }
    });
  }

  private void run(List<Thread> threads) throws InterruptedException {
    threads.forEach(Thread::start);
    long end = System.nanoTime() + MILLIS * 1_000_000;
    while (System.nanoTime() < end && !stop.get()) {
      Thread.sleep(10);
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(zaps.get()).as("unmaps while it ran").isGreaterThan(100);
    for (int i = 0; i < PAGES; i++) {
      zap(BASE + i * 4096L);
    }
    assertThat(memory.counts().anonymous()).as("no frame is lost").isZero();
    memory.validate();
    memory.close();
  }
}
