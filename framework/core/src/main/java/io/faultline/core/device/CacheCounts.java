// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.kernel.PageCacheCounts;
import java.util.concurrent.atomic.LongAdder;

/** Pages of all files together. Thread-safe. */
final class CacheCounts {
  final LongAdder cached = new LongAdder();
  final LongAdder dirty = new LongAdder();
  final LongAdder writeback = new LongAdder();

  PageCacheCounts now() {
    return new PageCacheCounts(cached.sum(), dirty.sum(), writeback.sum());
  }
}
