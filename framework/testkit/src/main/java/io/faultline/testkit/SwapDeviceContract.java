// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What {@link SwapDevice} promises, as tests. A driver's test extends this and says how to make one:
 *
 * <pre>{@code
 * class MySwapTest extends SwapDeviceContract {
 *   @Override
 *   protected SwapDevice device() {
 *     return new MySwap(1024);
 *   }
 * }
 * }</pre>
 *
 * and adds tests of what is its own: a full disk, a server that dies.
 */
@Timeout(120)
public abstract class SwapDeviceContract {
  private static final int MIN_SLOTS = 512;
  private static final int SEVERAL = 16;

  private SwapDevice device = new Unusable();

  /** For implementors. */
  protected SwapDeviceContract() {}

  /**
   * A device that is not active yet, with 512 slots at least; called once for each test. It has to
   * keep any 512 pages, noise too.
   */
  protected abstract SwapDevice device() throws Exception;

  /**
   * What a device that was switched off has left behind: files, keys on a server. None, for one that
   * keeps all in memory.
   */
  protected List<String> leftovers() throws Exception {
    return List.of();
  }

  @BeforeEach
  final void makeTheDevice() throws Exception {
    device = device();
  }

  /** Even when a test has failed; tests that have switched it off themselves know that it may. */
  @AfterEach
  final void switchItOff() {
    device.swapoff();
  }

  @Test
  protected void saysWhatProcSwapsShows() throws IOException {
    device.swapon();
    assertThat(device.name()).isNotBlank().doesNotContainAnyWhitespaces();
    assertThat(device.type()).isIn("file", "partition");
    assertThat(device.slots()).isGreaterThanOrEqualTo(MIN_SLOTS);
  }

  @Test
  protected void everyPageComesBackAsItWas() throws IOException {
    device.swapon();
    long[] slots = LongStream.range(0, MIN_SLOTS).toArray();
    write(slots, numbers(slots, 7));
    assertHolds(slots, numbers(slots, 7));
    for (long slot : slots) {
      assertHolds(new long[] {slot}, numbers(new long[] {slot}, 7));
    }
  }

  @Test
  protected void theFirstAndTheLastSlotAreNeighboursOfNobody() throws IOException {
    device.swapon();
    long last = device.slots() - 1;
    write(new long[] {0, last}, 5, 6);
    assertHolds(new long[] {0}, 5);
    assertHolds(new long[] {last}, 6);
    assertRefused(() -> read(last + 1));
    assertRefused(() -> read(-1));
    assertRefused(() -> write(new long[] {last + 1}, 7));
    assertHolds(new long[] {0, last}, 5, 6);
  }

  @Test
  protected void slotsOfABatchNeedNotBeNeighbours() throws IOException {
    device.swapon();
    long[] slots = {3, 4, 5, 9, 100, 101, 300, 511};
    write(slots, numbers(slots, 40));
    assertHolds(new long[] {4, 100, 511}, numbers(new long[] {4, 100, 511}, 40));
    assertHolds(slots, numbers(slots, 40));
  }

  @Test
  protected void whatIsWrittenLastIsRead() throws IOException {
    device.swapon();
    for (long number = 0; number < 40; number++) {
      write(new long[] {6, 7, 8}, number, number + 1, number + 2);
      assertHolds(new long[] {6, 7, 8}, number, number + 1, number + 2);
    }
  }

  @Test
  protected void aSlotThatWasFreedCanBeUsedAgain() throws IOException {
    device.swapon();
    long[] slots = LongStream.range(0, SEVERAL).toArray();
    for (int round = 0; round < 40; round++) {
      write(slots, numbers(slots, round * 100L));
      device.free(new long[] {1, 2, 3, 9});
      assertHolds(new long[] {0, 4, 10}, round * 100L, round * 100L + 4, round * 100L + 10);
      write(new long[] {2, 9}, 77 + round, 78 + round);
      assertHolds(new long[] {2, 9}, 77 + round, 78 + round);
    }
  }

  @Test
  protected void aSlotThatHoldsNothingFailsTheRead() throws IOException {
    device.swapon();
    assertRefused(() -> read(3));
    write(new long[] {3, 4}, 8, 9);
    assertRefused(() -> read(2, 3, 4));
    assertHolds(new long[] {3, 4}, 8, 9);
    device.free(new long[] {3});
    assertRefused(() -> read(3));
    assertRefused(() -> read(3, 4));
    assertHolds(new long[] {4}, 9);
  }

  @Test
  protected void freeingWhatHoldsNothingIsNothing() throws IOException {
    device.swapon();
    write(new long[] {5}, 12);
    device.free(new long[] {3, 4});
    device.free(new long[] {3, 4});
    device.free(new long[] {});
    assertHolds(new long[] {5}, 12);
  }

  /** Noise first, then what takes less room, then noise again: room that comes back is used again. */
  @Test
  protected void roomThatComesBackIsUsedAgain() throws IOException {
    device.swapon();
    long[] slots = LongStream.range(0, MIN_SLOTS).toArray();
    long[] noise = LongStream.range(0, MIN_SLOTS).map(i -> 16 * i + 4).toArray();
    long[] halfway = LongStream.range(0, MIN_SLOTS).map(i -> 16 * i + 8 + i % 8).toArray();
    for (int round = 0; round < 8; round++) {
      write(slots, noise);
      device.free(slots);
      write(slots, halfway);
      assertHolds(slots, halfway);
      device.free(slots);
    }
    write(slots, noise);
    assertHolds(slots, noise);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  protected void aRandomHistoryLosesNoPage(long seed) throws IOException {
    device.swapon();
    Random random = new Random(seed);
    TreeMap<Long, Long> model = new TreeMap<>();
    for (int step = 0; step < 150; step++) {
      String where = "seed " + seed + " step " + step;
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          long[] slots = someOf(random, LongStream.range(0, MIN_SLOTS).toArray());
          long[] numbers = random.longs(slots.length).toArray();
          write(slots, numbers);
          for (int i = 0; i < slots.length; i++) {
            model.put(slots[i], numbers[i]);
          }
        }
        case 2 -> {
          long[] slots = someOf(random, LongStream.range(0, MIN_SLOTS).toArray());
          device.free(slots);
          Arrays.stream(slots).forEach(model::remove);
        }
        default -> {
          long[] slots =
              someOf(random, model.keySet().stream().mapToLong(Long::longValue).toArray());
          assertHolds(where, slots, Arrays.stream(slots).map(model::get).toArray());
        }
      }
    }
    long[] all = model.keySet().stream().mapToLong(Long::longValue).toArray();
    assertHolds("seed " + seed, all, Arrays.stream(all).map(model::get).toArray());
  }

  /** One thread writes and frees its half of the slots, two read the other half. */
  @Test
  protected void readsGoOnDuringAWrite() throws Exception {
    device.swapon();
    long[] read = LongStream.range(0, MIN_SLOTS / 2).toArray();
    long[] written = LongStream.range(MIN_SLOTS / 2, MIN_SLOTS).toArray();
    write(read, numbers(read, 1000));
    AtomicBoolean over = new AtomicBoolean();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<?>> readers = new ArrayList<>();
      for (int reader = 0; reader < 2; reader++) {
        Random random = new Random(reader);
        Callable<Integer> reads = () -> {
          int batches = 0;
          for (; !over.get() || batches == 0; batches++) {
            long[] slots = someOf(random, read);
            assertHolds("reader", slots, numbers(slots, 1000));
          }
          return batches;
        };
        readers.add(threads.submit(reads));
      }
      try {
        Random random = new Random(99);
        for (int batch = 0; batch < 100; batch++) {
          long[] slots = someOf(random, written);
          long[] numbers = random.longs(slots.length).toArray();
          write(slots, numbers);
          assertHolds("writer", slots, numbers);
          device.free(slots);
        }
      } finally {
        over.set(true);
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
  }

  @Test
  protected void whatIsNotActiveFailsLoudly() throws IOException {
    assertRefused(() -> write(new long[] {1}, 5));
    assertRefused(() -> read(1));
    device.swapon();
    write(new long[] {1}, 5);
    device.swapoff();
    assertRefused(() -> read(1));
    assertRefused(() -> write(new long[] {1}, 5));
  }

  @Test
  protected void nothingIsLeftBehind() throws Exception {
    assertThat(leftovers()).as("before it is active").isEmpty();
    device.swapon();
    write(new long[] {1, 2, 400}, 5, 6, 7);
    device.swapoff();
    assertThat(leftovers()).isEmpty();
  }

  @Test
  protected void activeAgainItIsEmptyAndWorks() throws Exception {
    for (int round = 0; round < 3; round++) {
      device.swapon();
      assertRefused(() -> read(1));
      write(new long[] {1, 2}, 5 + round, 6 + round);
      assertHolds(new long[] {1, 2}, 5 + round, 6 + round);
      device.swapoff();
    }
    assertThat(leftovers()).isEmpty();
  }

  /** As the kernel does with a call that takes too long. The call may fail; the device may not. */
  @Test
  protected void anInterruptEndsACallAndNotTheDevice() throws Exception {
    device.swapon();
    long[] slots = LongStream.range(0, SEVERAL).toArray();
    write(slots, numbers(slots, 200));
    for (int round = 0; round < 30; round++) {
      FutureTask<Boolean> calls = new FutureTask<>(() -> callUntilInterrupted(slots));
      Thread caller = new Thread(calls);
      caller.start();
      Thread.sleep(1 + round % 3);
      caller.interrupt();
      assertHolds("on another thread meanwhile", slots, numbers(slots, 200));
      assertThat(calls.get()).isTrue();
    }
    write(new long[] {100, 101}, 3, 4);
    assertHolds(new long[] {100, 101}, 3, 4);
    assertHolds(slots, numbers(slots, 200));
  }

  /** Writes and reads, and sees that what is read is right, until a call or the thread ends. */
  private boolean callUntilInterrupted(long... slots) {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        write(new long[] {100, 101}, 1, 2);
        assertHolds("while others read", slots, numbers(slots, 200));
      }
    } catch (IOException interrupted) {
      // The call ended. As it may.
    }
    return true;
  }

  /** Writes those pages; asserts on the way that the device leaves them alone. */
  protected final void write(long[] slots, long... numbers) throws IOException {
    MemorySegment[] pages = pages(slots.length);
    MemorySegment[] readOnly = new MemorySegment[pages.length];
    for (int i = 0; i < pages.length; i++) {
      new SwapPage(numbers[i]).fill(pages[i]);
      readOnly[i] = pages[i].asReadOnly();
    }
    device.write(slots.clone(), readOnly);
  }

  /** Reads those slots, to see whether it throws. */
  protected final void read(long... slots) throws IOException {
    device.read(slots, pages(slots.length));
  }

  /** The slots hold the pages of those numbers. */
  protected final void assertHolds(long[] slots, long... numbers) throws IOException {
    assertHolds("", slots, numbers);
  }

  private void assertHolds(String where, long[] slots, long... numbers) throws IOException {
    MemorySegment[] pages = pages(slots.length);
    for (int i = 0; i < slots.length; i++) {
      new SwapPage(~numbers[i] | 4).fill(pages[i]);
    }
    device.read(slots.clone(), pages);
    for (int i = 0; i < slots.length; i++) {
      if (!new SwapPage(numbers[i]).is(pages[i])) {
        throw new AssertionError(
            "%s: slot %d of %s does not hold what was written".formatted(where, slots[i],
                Arrays.toString(slots)));
      }
    }
  }

  /** The call throws something, in good time. */
  protected final void assertRefused(ThrowingCallable call) {
    assertThatThrownBy(call).isNotInstanceOfAny(Error.class);
  }

  /** The device of this test. */
  protected final SwapDevice underTest() {
    return device;
  }

  private MemorySegment[] pages(int count) {
    MemorySegment memory =
        Arena.ofAuto().allocate((long) Math.max(1, count) * SwapPage.BYTES, SwapPage.BYTES);
    MemorySegment[] pages = new MemorySegment[count];
    // Last page first: neighbours in slots need not be neighbours in memory.
    Arrays.setAll(
        pages, i -> memory.asSlice((long) (count - 1 - i) * SwapPage.BYTES, SwapPage.BYTES));
    return pages;
  }

  private static long[] numbers(long[] slots, long base) {
    return Arrays.stream(slots).map(slot -> base + slot).toArray();
  }

  /** Up to 64 of them, at random, ascending. */
  private static long[] someOf(Random random, long[] all) {
    return random.longs(1 + random.nextInt(64), 0, Math.max(1, all.length)).sorted().distinct()
        .filter(i -> i < all.length).map(i -> all[(int) i]).toArray();
  }

  /** Stands in until the first test begins. */
  private static final class Unusable implements SwapDevice {
    @Override
    public String name() {
      return "none";
    }

    @Override
    public long slots() {
      return 0;
    }

    @Override
    public void write(long[] slots, MemorySegment[] pages) throws IOException {
      throw new IOException("no device");
    }

    @Override
    public void read(long[] slots, MemorySegment[] pages) throws IOException {
      throw new IOException("no device");
    }
  }
}
