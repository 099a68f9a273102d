// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import io.faultline.kernel.SwapInfo;
import java.util.HashMap;
import java.util.Map;

/**
 * What the kernel has counted at one moment.
 *
 * @param nanos the moment, by {@link System#nanoTime}
 * @param accesses of the program's own, so far
 * @param faults so far
 * @param majorFaults of them, those that had to read
 * @param swapIn pages so far
 * @param swapOut pages so far
 * @param scanned frames that reclaim has looked at so far
 * @param freePages now
 * @param swapUsed slots in use now
 */
record Sample(
    long nanos, long accesses, long faults, long majorFaults, long swapIn, long swapOut,
    long scanned, long freePages, long swapUsed) {
  static Sample now(PressureKernel kernel, long accesses) {
    Map<String, Long> values = new HashMap<>();
    kernel.proc().vmstat().lines().forEach(line -> {
      int blank = line.indexOf(' ');
      values.put(line.substring(0, blank), Long.parseLong(line.substring(blank + 1).strip()));
    });
    return new Sample(
        System.nanoTime(), accesses, value(values, "pgfault"), value(values, "pgmajfault"),
        value(values, "pswpin"), value(values, "pswpout"),
        value(values, "pgscan_kswapd") + value(values, "pgscan_direct"),
        value(values, "nr_free_pages"),
        kernel.swaps().list().stream().mapToLong(SwapInfo::used).sum());
  }

  private static long value(Map<String, Long> values, String name) {
    Long value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("/proc/vmstat has no " + name);
    }
    return value;
  }

  /** What happened since an earlier moment, with what is true now. */
  Sample since(Sample earlier) {
    return new Sample(
        nanos - earlier.nanos, accesses - earlier.accesses, faults - earlier.faults,
        majorFaults - earlier.majorFaults, swapIn - earlier.swapIn, swapOut - earlier.swapOut,
        scanned - earlier.scanned, freePages, swapUsed);
  }

  /** How many of something came to pass in a second, if this is a difference. */
  double perSecond(long count) {
    return nanos == 0 ? 0 : count * 1e9 / nanos;
  }
}
