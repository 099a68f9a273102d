// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * How fast a swap device is on this machine, for its README. No benchmark: no forks, no confidence
 * intervals; the best of several rounds.
 */
public final class SwapDeviceSpeed {
  private static final int PAGES = 8192;
  private static final int BATCH = 64;
  private static final int ROUNDS = 8;

  private SwapDeviceSpeed() {}

  /**
   * Measures 32 MiB, of which one in four pages is one word over and over, one is noise and two are
   * halfway: written and read in batches of 64 neighbours, and read one by one at random.
   *
   * @param device not active; is afterwards not active again
   * @return one line
   */
  public static String of(SwapDevice device) throws IOException {
    device.swapon();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate((long) PAGES * SwapPage.BYTES, SwapPage.BYTES);
      MemorySegment[] pages = new MemorySegment[PAGES];
      Arrays.setAll(pages, i -> memory.asSlice((long) i * SwapPage.BYTES, SwapPage.BYTES));
      for (int i = 0; i < PAGES; i++) {
        new SwapPage(i).fill(pages[i]);
      }
      double write = 0;
      double read = 0;
      double single = Double.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        long begin = System.nanoTime();
        for (int i = 0; i < PAGES; i += BATCH) {
          device.write(slots(i), Arrays.copyOfRange(pages, i, i + BATCH));
        }
        write = Math.max(write, megabytesPerSecond(begin));
        begin = System.nanoTime();
        for (int i = 0; i < PAGES; i += BATCH) {
          device.read(slots(i), Arrays.copyOfRange(pages, i, i + BATCH));
        }
        read = Math.max(read, megabytesPerSecond(begin));
        single = Math.min(single, micros(device, pages[0], new Random(round)));
        new SwapPage(0).fill(pages[0]);
      }
      return "%s: write %.0f MB/s, read %.0f MB/s (batches of %d pages), one page %.1f µs"
          .formatted(device.name(), write, read, BATCH, single);
    } finally {
      device.swapoff();
    }
  }

  private static long[] slots(int first) {
    return LongStream.range(first, first + BATCH).toArray();
  }

  private static double megabytesPerSecond(long begin) {
    return (double) PAGES * SwapPage.BYTES / (System.nanoTime() - begin) * 1000;
  }

  private static double micros(SwapDevice device, MemorySegment page, Random random)
      throws IOException {
    int reads = 2000;
    MemorySegment[] pages = {page};
    long begin = System.nanoTime();
    for (int i = 0; i < reads; i++) {
      device.read(new long[] {random.nextInt(PAGES)}, pages);
    }
    return (System.nanoTime() - begin) / 1000.0 / reads;
  }
}
