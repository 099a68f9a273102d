// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.memory.FileMapping;
import io.faultline.kernel.SwapInfo;
import java.util.List;

/**
 * A machine without swap. Its watermarks are what Linux chooses for a memory of this size ({@code
 * init_per_zone_wmark_min}).
 */
public class NoReclaim implements ReclaimView {
  private static final long LEAST_KIB = 128;
  private static final long MOST_KIB = 262_144;

  private final long min;
  private final long step;

  /**
   * @param frames of the machine
   */
  public NoReclaim(long frames) {
    long kib = (long) Math.sqrt((double) (frames * 4) * 16);
    min = Math.clamp(kib, LEAST_KIB, MOST_KIB) / 4;
    step = Math.max(min / 4, frames * 10 / 10_000);
  }

  @Override
  public int claims(long slot) {
    return 0;
  }

  @Override
  public int type(long slot) {
    return 0;
  }

  @Override
  public long offset(long slot) {
    return slot;
  }

  @Override
  public long swapped(FileMapping object, long from, long end) {
    return 0;
  }

  @Override
  public List<SwapInfo> devices() {
    return List.of();
  }

  @Override
  public long min() {
    return min;
  }

  @Override
  public long low() {
    return min + step;
  }

  @Override
  public long high() {
    return min + 2 * step;
  }
}
