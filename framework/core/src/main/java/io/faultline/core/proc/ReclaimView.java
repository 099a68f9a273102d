// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.memory.FileMapping;
import io.faultline.kernel.SwapInfo;
import java.util.List;

/** What {@code /proc} shows of reclaim and swap; whoever reclaims implements it. Thread-safe. */
public interface ReclaimView {
  /** How many entries name a swap slot ({@code swp_swapcount}); 0 when it is free. */
  int claims(long slot);

  /** The number of the device of a slot ({@code swp_type}). */
  int type(long slot);

  /** The place of a slot in its device ({@code swp_offset}). */
  long offset(long slot);

  /**
   * How many pages of a shared memory object are in swap.
   *
   * @param from index of the first page that counts
   * @param end index behind the last one
   */
  long swapped(FileMapping object, long from, long end);

  /** The swap devices in use, in the order of use. */
  List<SwapInfo> devices();

  /** Below so many free frames, those who want one reclaim themselves ({@code min_wmark_pages}). */
  long min();

  /** Below so many free frames, background reclaim begins. */
  long low();

  /** At so many free frames, background reclaim ends. */
  long high();
}
