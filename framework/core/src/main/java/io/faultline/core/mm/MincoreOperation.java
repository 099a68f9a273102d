// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.area.MappedFile;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.Arrays;

/** {@code mincore(2)}, one stretch at a time: {@code do_mincore}. */
public final class MincoreOperation {
  private MincoreOperation() {}

  /** The checks of the arguments; the number of pages asked about. */
  public static long check(AddressSpace space, long start, long length, long vector)
      throws ErrnoException {
    long taskSize = space.profile().taskSize();
    Args.requireAligned("address", start);
    if (Args.above(length, taskSize) || Args.above(start, taskSize - length)) {
      throw Args.noMemory("address, length: the range leaves user space");
    }
    long pages = (length >>> Mman.PAGE_SHIFT) + (Args.aligned(length) ? 0 : 1);
    if (Args.above(pages, taskSize) || Args.above(vector, taskSize - pages)) {
      throw new ErrnoException(Errno.EFAULT, "vector: is outside user space");
    }
    return pages;
  }

  /**
   * Tells for each page, up to the end of its area, whether it is in memory. The lock is held for
   * reading.
   *
   * @param vector filled from its beginning
   * @return how many pages were told about
   * @throws ErrnoException ENOMEM where nothing is mapped
   */
  public static int stretch(AddressSpace space, long address, byte[] vector, int atMost)
      throws ErrnoException {
    Area area = space.areas().findAt(address);
    if (area == null) {
      throw Args.hole(address);
    }
    int pages =
        (int) Math.min(atMost, (area.end() - address) >>> Mman.PAGE_SHIFT);
    if (!area.isAnonymous() && area.mappedFile() == null) {
      // The kernel's own mappings tell nothing: all ones.
      Arrays.fill(vector, 0, pages, (byte) 1);
      return pages;
    }
    for (int i = 0; i < pages; i++) {
      vector[i] = (byte) (inPageCache(area, address + ((long) i << Mman.PAGE_SHIFT)) ? 1 : 0);
    }
    space
        .tables()
        .visit(
            address,
            address + ((long) pages << Mman.PAGE_SHIFT),
            (page, entry) -> {
              boolean cached =
                  Pte.isSwap(entry) && space.services().swap().isCached(Pte.swapSlot(entry));
              if (Pte.hasFrame(entry) || cached) {
                vector[(int) ((page - address) >>> Mman.PAGE_SHIFT)] = 1;
              }
              return entry;
            });
    return pages;
  }

  /** Whether another mapping, or none, has brought the page in. */
  private static boolean inPageCache(Area area, long page) {
    MappedFile file = area.mappedFile();
    FileMapping mapping = file == null ? null : file.mapping();
    return mapping != null
        && mapping.cache().get(area.pageOffsetOf(page)) != PhysicalMemory.NONE;
  }
}
