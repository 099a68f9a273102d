// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The promise of {@link PageTables#flush} under load: processors store and load through a few pages
 * while other threads unmap them, free the frames, get them again as somebody else's, and look for a
 * while whether anybody still writes into them.
 *
 * <p>Everything that a processor stores is odd, everything in somebody else's frame is even and not
 * zero, so that a single wrong access is seen. The accesses are in tight loops: then a thread that the
 * host interrupts is likely to stand between its look-up and its access, and to go on long after the
 * frame has changed hands.
 */
class FlushStressTest {
  private static final long BASE = 0x5555_0000_0000L;
  private static final int PAGES = 3;
  private static final int TIGHT = 500;
  private static final long RUN = Long.getLong("faultline.stress.millis", 700) * 1_000_000;
  private static final long HANG = RUN + 300_000_000_000L;
  private static final int ENOUGH = 20;

  private final PhysicalMemory memory = new PhysicalMemory(1 << 20);
  private final PageTables tables = new PageTables(memory);
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final AtomicLong zaps = new AtomicLong();
  /** Odd numbers, more than the host's caches hold: copying from here takes its time. */
  private final long[] odd = new long[4 << 20];

  FlushStressTest() {
    Arrays.setAll(odd, i -> 2L * i + 1);
  }

  @AfterEach
  void nothingIsLost() {
    for (int i = 0; i < PAGES; i++) {
      zap(page(i));
    }
    assertThat(memory.counts().anonymous()).isZero();
    memory.validate();
    memory.close();
  }

  @Test
  void noStoreReachesAFrameThatWasFreed() throws InterruptedException {
    run(() -> store(1), () -> store(2), () -> zapAndReuse(3), () -> zapAndReuse(4));
  }

  @Test
  void noLargeStoreReachesAFrameThatWasFreed() throws InterruptedException {
    run(() -> storePages(1), () -> zapAndReuse(3), this::flushAll);
  }

  @Test
  void noLoadReturnsWhatLiesInAFrameThatWasFreed() throws InterruptedException {
    run(() -> load(1), () -> load(2), () -> zapAndReuse(3), () -> zapAndReuse(4));
  }

  @Test
  void noLargeLoadReturnsWhatLiesInAFrameThatWasFreed() throws InterruptedException {
    run(() -> loadPages(1), () -> loadPages(2), () -> zapAndReuse(3));
  }

  @Test
  void aThreadThatUnmapsWhatItStoresToItselfIsAsSafe() throws InterruptedException {
    Runnable both = () -> {
      Cpu cpu = new Cpu(tables, this::fault);
      Random random = new Random();
      ArrayDeque<Long> held = new ArrayDeque<>();
      while (!stop.get()) {
        storeTight(cpu, random);
        zap(page(random.nextInt(PAGES)));
        reuseOne(held, random);
      }
      held.forEach(memory::put);
    };
    run(both, both, both);
  }

  @Test
  void aProcessorThatChangesHandsIsAsSafe() throws InterruptedException {
    Cpu shared = new Cpu(tables, this::fault);
    Runnable turn = () -> {
      Random random = new Random();
      ArrayDeque<Long> held = new ArrayDeque<>();
      while (!stop.get()) {
        synchronized (shared) {
          storeTight(shared, random);
        }
        zap(page(random.nextInt(PAGES)));
        reuseOne(held, random);
      }
      held.forEach(memory::put);
    };
    run(turn, turn, turn);
  }

  @Test
  void aPageThatWasWriteProtectedStaysAsItIs() throws InterruptedException {
    AtomicBoolean isProtected = new AtomicBoolean();
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    long writable = Pte.of(frame, Pte.protection(true, true, false, 0), Pte.ANON);
    tables.set(BASE, writable);
    FaultHandler waiting = (address, access) -> {
      while (isProtected.get()) {
        endWithTheTest(address);
        Thread.yield();
      }
    };
    Runnable storing = () -> {
      Cpu cpu = new Cpu(tables, waiting);
      for (long n = 1; !stop.get(); n += 2) {
        for (int i = 0; i < 512; i++) {
          cpu.putLong(BASE + i * 8L, n);
        }
      }
    };
    run(storing, storing, () -> {
      MemorySegment bytes = memory.segment(frame);
      MemorySegment before = MemorySegment.ofArray(new long[512]);
      while (!stop.get()) {
        isProtected.set(true);
        tables.visit(BASE, BASE + 4096, (address, entry) -> Pte.writeProtected(entry));
        tables.flush(BASE, BASE + 4096);
        before.copyFrom(bytes);
        for (int i = 0; i < 20; i++) {
          Thread.yield();
          if (before.mismatch(bytes) != -1) {
            throw new AssertionError("a store came after the page was write-protected");
          }
        }
        tables.visit(BASE, BASE + 4096, (address, entry) -> entry | Pte.WRITABLE);
        isProtected.set(false);
        for (int i = 0; i < 100; i++) {
          Thread.onSpinWait();
        }
        zaps.incrementAndGet();
      }
      isProtected.set(false);
    });
  }

  // Processors.

  private void store(long seed) {
    Cpu cpu = new Cpu(tables, this::fault);
    Random random = new Random(seed);
    while (!stop.get()) {
      storeTight(cpu, random);
    }
  }

  private void storeTight(Cpu cpu, Random random) {
    long page = page(random.nextInt(PAGES));
    switch (random.nextInt(6)) {
      case 0 -> {
        for (int i = 0; i < TIGHT; i++) {
          cpu.putByte(page + i * 8, (byte) (i | 1));
        }
      }
      case 1 -> {
        for (int i = 0; i < TIGHT; i++) {
          cpu.putShort(page + i * 8, (short) (i | 1));
        }
      }
      case 2 -> {
        for (int i = 0; i < TIGHT; i++) {
          cpu.putInt(page + i * 8, i | 1);
        }
      }
      case 3 -> {
        for (int i = 0; i < TIGHT; i++) {
          cpu.compareAndSetLong(page + i * 8, 0, i | 1);
        }
      }
      default -> {
        for (int i = 0; i < TIGHT; i++) {
          cpu.putLong(page + i * 8, i | 1);
        }
      }
    }
  }

  private void storePages(long seed) {
    Cpu cpu = new Cpu(tables, this::fault);
    Random random = new Random(seed);
    MemorySegment source = MemorySegment.ofArray(odd);
    while (!stop.get()) {
      long from = (long) random.nextInt(odd.length / 512) * 4096;
      cpu.write(page(random.nextInt(PAGES)), source.asSlice(from, 4096));
    }
  }

  private void load(long seed) {
    Cpu cpu = new Cpu(tables, this::fault);
    Random random = new Random(seed);
    while (!stop.get()) {
      long page = page(random.nextInt(PAGES));
      for (int i = 0; i < TIGHT; i++) {
        checkMine(cpu.getLong(page + i * 8));
        checkMine(cpu.getByte(page + i * 8));
      }
    }
  }

  private void loadPages(long seed) {
    Cpu cpu = new Cpu(tables, this::fault);
    Random random = new Random(seed);
    long[] into = new long[512];
    while (!stop.get()) {
      cpu.read(page(random.nextInt(PAGES)), MemorySegment.ofArray(into));
      for (long value : into) {
        checkMine(value);
      }
    }
  }

  private static void checkMine(long value) {
    if (value != 0 && (value & 1) == 0) {
      throw new AssertionError("loaded from somebody else's frame: " + Long.toHexString(value));
    }
  }

  /** Maps a zero page where there is none, as the anonymous fault does. */
  private void fault(long address, Access access) {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    if (frame == PhysicalMemory.NONE) {
      endWithTheTest(address);
      Thread.yield();
      return;
    }
    if (!tables.compareAndSet(address & -4096, 0,
        Pte.of(frame, Pte.protection(true, true, false, 0), Pte.ANON))) {
      memory.put(frame);
    }
  }

  /** So that nobody waits for a page that will not come any more. */
  private void endWithTheTest(long address) {
    if (stop.get()) {
      throw new SignalException(new Siginfo(SignalCode.BUS_ADRERR, address, "time is up"));
    }
  }

  // Those who take memory away.

  private void zapAndReuse(long seed) {
    Random random = new Random(seed);
    ArrayDeque<Long> held = new ArrayDeque<>();
    while (!stop.get()) {
      zap(page(random.nextInt(PAGES)));
      reuseOne(held, random);
    }
    held.forEach(memory::put);
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

  /** Flushes and takes nothing away: two flushes of one page at a time. */
  private void flushAll() {
    while (!stop.get()) {
      for (int i = 0; i < PAGES; i++) {
        tables.flush(page(i), page(i + 1));
      }
    }
  }

  /** Gets a frame, the one freed last, and keeps it for a while to see that it is left alone. */
  private void reuseOne(ArrayDeque<Long> held, Random random) {
    long frame = memory.allocate(FrameUse.KERNEL);
    if (frame != PhysicalMemory.NONE) {
      checkAll(frame, 0, 0);
      memory.segment(frame).fill((byte) 0x22);
      held.add(frame);
    }
    while (held.size() > random.nextInt(40)) {
      long oldest = held.remove();
      checkAll(oldest, 0x2222_2222_2222_2222L, 0);
      memory.put(oldest);
    }
  }

  private void checkAll(long frame, long expected, long from) {
    MemorySegment page = memory.segment(frame);
    for (long i = from; i < 4096; i += 8) {
      long value = page.get(ValueLayout.JAVA_LONG, i);
      if (value != expected) {
        throw new AssertionError("somebody stored " + Long.toHexString(value)
            + " into a frame that was freed and is another's");
      }
    }
  }

  private static long page(int number) {
    return BASE + number * 4096L;
  }

  private void run(Runnable... bodies) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (Runnable body : bodies) {
      threads.add(Thread.ofPlatform().start(() -> {
        try {
          body.run();
        } catch (SignalException e) {
          // From endWithTheTest.
        } catch (Throwable e) {
          failure.compareAndSet(null, e);
          stop.set(true);
        }
      }));
    }
    long begin = System.nanoTime();
    // On a busy machine it takes longer until there was enough to see.
    while (!stop.get() && System.nanoTime() - begin < (zaps.get() > ENOUGH ? RUN : HANG)) {
      Thread.sleep(10);
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(zaps.get()).as("times that memory was taken away").isGreaterThan(ENOUGH);
  }
}
