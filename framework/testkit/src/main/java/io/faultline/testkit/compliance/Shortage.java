// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.testkit.Program;
import java.util.ArrayList;
import java.util.List;

/** Brings a process to its limits, so that the kernel has to refuse what it has begun. */
final class Shortage {
  private Shortage() {}

  /**
   * Maps all private memory that may be promised: no fork can have as much.
   *
   * @param most not more than this, in bytes
   */
  static void ofMemory(Program program, long most) {
    for (long pages = most / Mman.PAGE_SIZE; pages > 0;) {
      try {
        long unused = program.mmap(
            -1, Places.bytes(pages), Mman.PROT_READ | Mman.PROT_WRITE,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
      } catch (ErrnoException refused) {
        pages /= 2;
      }
    }
  }

  /**
   * Maps single pages, until the process has as many areas as it may.
   *
   * @param limit how many that are at most
   * @param spare how many are unmapped again
   */
  static void ofAreas(Program program, int limit, int spare) {
    List<Long> mapped = new ArrayList<>();
    try {
      for (int i = 0; i < limit; i++) {
        mapped.add(
            program.mmapAt(
                Places.address(Places.SCATTERED + 2 * i), -1, Places.bytes(1), Mman.PROT_READ,
                Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | Mman.MAP_FIXED, 0));
      }
    } catch (ErrnoException full) {
      // As many as there may be.
    }
    try {
      for (int i = 0; i < spare && !mapped.isEmpty(); i++) {
        program.munmap(mapped.removeLast(), Places.bytes(1));
      }
    } catch (ErrnoException refused) {
      throw new AssertionError("a page of its own cannot be unmapped", refused);
    }
  }
}
