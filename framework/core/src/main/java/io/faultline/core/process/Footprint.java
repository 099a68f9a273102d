// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;

/**
 * What a process has in memory and in swap ({@code get_mm_counter}), in pages.
 *
 * @param anonymous private pages
 * @param file pages of files, and of drivers
 * @param shared pages of shared memory
 * @param swapped pages in swap
 */
record Footprint(long anonymous, long file, long shared, long swapped) {
  /** Counts by walking the page tables, which takes no lock of the space. */
  static Footprint of(AddressSpace space) {
    PhysicalMemory memory = space.memory();
    long[] counts = new long[4];
    space
        .tables()
        .visit(
            0,
            space.profile().taskSize(),
            (address, entry) -> {
              if (Pte.isSwap(entry)) {
                counts[3]++;
              } else if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
                boolean shmem = memory.use(Pte.frame(entry)) == FrameUse.SHMEM;
                counts[Pte.isAnonymous(entry) ? 0 : shmem ? 2 : 1]++;
              }
              return entry;
            });
    return new Footprint(counts[0], counts[1], counts[2], counts[3]);
  }

  long resident() {
    return anonymous + file + shared;
  }
}
