// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.memory.FileMapping;
import io.faultline.core.proc.ReclaimView;
import io.faultline.core.reclaim.Watermarks;
import io.faultline.core.swap.SwapEntry;
import io.faultline.core.swap.SwapSpace;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import java.util.List;

/** What {@code /proc} shows of reclaim and swap. Thread-safe. */
public final class ReclaimStatus implements ReclaimView {
  private final SwapSpace swap;
  private final Swaps swaps;
  private final Watermarks watermarks;

  public ReclaimStatus(SwapSpace swap, Swaps swaps, Watermarks watermarks) {
    this.swap = swap;
    this.swaps = swaps;
    this.watermarks = watermarks;
  }

  @Override
  public int claims(long slot) {
    return swap.count(slot);
  }

  @Override
  public int type(long slot) {
    return SwapEntry.type(slot);
  }

  @Override
  public long offset(long slot) {
    return SwapEntry.offset(slot);
  }

  @Override
  public long swapped(FileMapping object, long from, long end) {
    long[] count = {0};
    object
        .cache()
        .forEachValue(
            (index, value) -> {
              if (index >= from && index < end && SwapEntry.isEntry(value)) {
                count[0]++;
              }
            });
    return count[0];
  }

  @Override
  public List<SwapInfo> devices() {
    return swaps.list();
  }

  @Override
  public long min() {
    return watermarks.min();
  }

  @Override
  public long low() {
    return watermarks.low();
  }

  @Override
  public long high() {
    return watermarks.high();
  }
}
