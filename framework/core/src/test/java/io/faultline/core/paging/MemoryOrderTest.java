// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The order in which two processes that share pages see each other's stores: the usual litmus tests, each
 * at thousands of places in a row, in loops that the JIT compiles, again and again. What x86 forbids must
 * never be seen; and what only a race can show must be, else the threads did not meet, and the test is
 * skipped: it would say nothing.
 */
@Timeout(600)
class MemoryOrderTest {
  private static final int PAGES = 64;
  private static final int PLACES = PAGES / 2 * 64;
  /** From a place's x to its y: other pages, so that each access uses a translation of its own. */
  private static final long APART = PAGES / 2 * 4096L;
  private static final long BASE = 0x7f00_0000_0000L;
  private static final int ROUNDS = 400;
  /** How long more of them are made while no race was seen yet. */
  private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final PhysicalMemory memory = new PhysicalMemory(8 << 20);
  private final Cpu clear;
  private final Cpu first;
  private final Cpu second;

  MemoryOrderTest() {
    PageTables one = new PageTables(memory);
    PageTables other = new PageTables(memory);
    for (int i = 0; i < PAGES; i++) {
      long frame = memory.allocate(FrameUse.ANONYMOUS);
      memory.get(frame);
      long entry = Pte.of(frame, Pte.protection(true, true, false, 0), Pte.ANON);
      one.set(BASE + i * 4096L, entry);
      other.set(BASE + i * 4096L, entry);
    }
    clear = cpu(one);
    first = cpu(one);
    second = cpu(other);
  }

  private static Cpu cpu(PageTables tables) {
    return new Cpu(tables, (address, access) -> {
      throw new IllegalStateException(Long.toHexString(address));
    });
  }

  @AfterEach
  void close() {
    memory.close();
  }

  /**
   * What one thread does at each place; its results are what it loaded. Each has a loop of its own, so
   * that the JIT compiles loop and accesses together.
   */
  @FunctionalInterface
  private interface Side {
    void sweep(Cpu cpu, long[] results);
  }

  private static long x(int place) {
    return BASE + place * 64L;
  }

  private static long y(int place) {
    return x(place) + APART;
  }

  /** How often each pair of results was seen; until something of {@code race} was among them. */
  private Map<String, Integer> run(Side left, Side right, String... race) throws Exception {
    Map<String, Integer> seen = new TreeMap<>();
    long began = System.nanoTime();
    for (int round = 0; round < ROUNDS
        || !meets(seen, race) && System.nanoTime() - began < MOST_NANOS; round++) {
      for (long page = BASE; page < BASE + PAGES * 4096L; page += 4096) {
        clear.write(page, MemorySegment.ofArray(new byte[4096]));
      }
      long[] lefts = new long[PLACES];
      long[] rights = new long[PLACES];
      meet(
          () -> left.sweep(first, lefts), () -> right.sweep(second, rights), round % 7 * 100);
      for (int i = 0; i < PLACES; i++) {
        seen.merge(lefts[i] + " " + rights[i], 1, Integer::sum);
      }
    }
    assumeTrue(meets(seen, race), "the threads never met: " + seen);
    return seen;
  }

  private static boolean meets(Map<String, Integer> seen, String... race) {
    for (String each : race) {
      if (!seen.containsKey(each)) {
        return false;
      }
    }
    return true;
  }

  private static void meet(Runnable one, Runnable other, int lag) throws Exception {
    CyclicBarrier start = new CyclicBarrier(2);
    AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
    Thread thread = Thread.ofPlatform().start(() -> {
      try {
        start.await();
        one.run();
      } catch (Throwable thrown) {
        problem.set(thrown);
      }
    });
    start.await();
    for (int i = 0; i < lag; i++) {
      Thread.onSpinWait();
    }
    other.run();
    thread.join();
    assertThat(problem.get()).isNull();
  }

  @Test
  void whoSeesTheFlagSeesTheData() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(x(i), 1);
            cpu.putLong(y(i), 1);
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            long flag = cpu.getLong(y(i));
            long data = cpu.getLong(x(i));
            results[i] = 10 * flag + data;
          }
        },
        "0 0", "0 11");
    assertThat(seen).doesNotContainKey("0 10");
  }

  @Test
  void whoSeesTheFlagSeesManyBytes() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.write(x(i), MemorySegment.ofArray(new byte[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
            cpu.putInt(y(i), 1);
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            long flag = cpu.getInt(y(i));
            byte[] bytes = new byte[12];
            cpu.read(x(i), MemorySegment.ofArray(bytes));
            int sum = 0;
            for (byte each : bytes) {
              sum += each;
            }
            results[i] = flag == 0 ? 0 : sum;
          }
        },
        "0 0", "0 12");
    assertThat(seen.keySet()).containsExactlyInAnyOrder("0 0", "0 12");
  }

  @Test
  void whoReadManyBytesSawThemBeforeTheFlag() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putByte(x(i), (byte) 1);
            cpu.putByte(y(i), (byte) 1);
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            byte[] flag = new byte[16];
            cpu.read(y(i), MemorySegment.ofArray(flag));
            results[i] = 10 * flag[0] + cpu.getByte(x(i));
          }
        },
        "0 0", "0 11");
    assertThat(seen).doesNotContainKey("0 10");
  }

  @Test
  void aStoreIsNotSeenBeforeTheLoadBeforeIt() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            long value = cpu.getLong(x(i));
            cpu.putLong(y(i), 1);
            results[i] = value;
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            long value = cpu.getLong(y(i));
            cpu.putLong(x(i), 1);
            results[i] = value;
          }
        },
        "0 1", "1 0");
    assertThat(seen).doesNotContainKey("1 1");
  }

  @Test
  void oneLocationIsSeenInOneOrder() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putShort(x(i), (short) 1);
            cpu.putShort(x(i), (short) 2);
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            long one = cpu.getShort(x(i));
            results[i] = 10 * one + cpu.getShort(x(i));
          }
        },
        "0 0", "0 22");
    assertThat(seen).doesNotContainKeys("0 10", "0 20", "0 21");
  }

  @Test
  void anAlignedValueIsSeenWhole() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(x(i), -1);
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            results[i] = cpu.getLong(x(i));
          }
        },
        "0 0", "0 -1");
    assertThat(seen.keySet()).containsExactlyInAnyOrder("0 0", "0 -1");
  }

  @Test
  void compareAndSetKeepsALoadBehindAStore() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(x(i), 1);
            boolean unused = cpu.compareAndSetLong(x(i) + 8, 0, 1);
            results[i] = cpu.getLong(y(i));
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(y(i), 1);
            boolean unused = cpu.compareAndSetLong(y(i) + 8, 0, 1);
            results[i] = cpu.getLong(x(i));
          }
        },
        "0 1", "1 0");
    assertThat(seen).doesNotContainKey("0 0");
  }

  /** The one thing that x86 allows; without it this class could not tell order from chance. */
  @Test
  void aLoadMayPassAStoreBeforeIt() throws Exception {
    Map<String, Integer> seen = run(
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(x(i), 1);
            results[i] = cpu.getLong(y(i));
          }
        },
        (cpu, results) -> {
          for (int i = 0; i < PLACES; i++) {
            cpu.putLong(y(i), 1);
            results[i] = cpu.getLong(x(i));
          }
        },
        "0 0", "0 1", "1 0");
    assertThat(seen.keySet()).contains("0 0");
  }
}
