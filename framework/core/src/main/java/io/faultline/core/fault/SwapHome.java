// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.Area;
import io.faultline.core.device.FileMappings;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.SharedMemoryPages;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapArea;
import io.faultline.core.swap.SwapEntry;
import io.faultline.core.swap.SwapSpace;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Moves all pages of a swap device home ({@code try_to_unuse}): looks through the page tables of all
 * processes and the indexes of all shared memory. Other devices get pages meanwhile if memory is
 * short. Thread-safe.
 */
public final class SwapHome {
  /** Pages of one space between two looks at the lock, so that its calls do not wait for long. */
  private static final int BATCH = 64;
  /** Rounds in which nothing moved, though something is there. */
  private static final int IDLE_ROUNDS = 200;
  private static final long PAUSE_MILLIS = 5;

  private final SwapSpace swap;
  private final Supplier<List<AddressSpace>> spaces;
  private final FileMappings mappings;

  public SwapHome(
      SwapSpace swap, Supplier<List<AddressSpace>> spaces, FileMappings mappings) {
    this.swap = swap;
    this.spaces = spaces;
    this.mappings = mappings;
  }

  /**
   * Empties a device, which is given no pages from now on.
   *
   * @throws ErrnoException ENOMEM when memory does not suffice, EIO when a page cannot be read, EINTR
   *     when the thread was interrupted, EBUSY when somebody holds on to a page; what has not moved
   *     stays where it is
   */
  public void bringHome(SwapArea area) throws ErrnoException {
    swap.devices().setWritable(area, false);
    int idle = 0;
    while (swap.devices().used(area) > 0) {
      long before = swap.devices().used(area);
      for (AddressSpace space : spaces.get()) {
        bringHome(space, area);
      }
      mappings.forEach(
          (inode, mapping) -> mapping
              .cache()
              .forEachValue(
                  (index, entry) -> {
                    if (SwapEntry.isEntry(entry) && SwapEntry.type(entry) == area.type()) {
                      SharedMemoryPages.bringBack(inode, index);
                    }
                  }));
      swap.dropOrphans(area);
      if (swap.devices().used(area) < before) {
        idle = 0;
      } else if (++idle == IDLE_ROUNDS) {
        throw new ErrnoException(
            Errno.EBUSY, area.name() + ": " + before + " pages could not be moved");
      } else {
        pause();
      }
    }
  }

  private static void pause() throws ErrnoException {
    try {
      // Somebody holds what is left, for a moment: nobody tells when he lets go.
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ErrnoException(Errno.EINTR, "swapoff was interrupted");
    }
  }

  private void bringHome(AddressSpace space, SwapArea device) throws ErrnoException {
    long from = 0;
    long end = space.profile().taskSize();
    while (from < end) {
      if (Thread.currentThread().isInterrupted()) {
        throw new ErrnoException(Errno.EINTR, "swapoff was interrupted");
      }
      try {
        space.lockForReading();
      } catch (ErrnoException gone) {
        return;
      }
      try {
        long[] pages = find(space, device, from, end);
        for (long page : pages) {
          bringHome(space, device, page);
        }
        from = pages.length < BATCH ? end : pages[pages.length - 1] + Mman.PAGE_SIZE;
      } finally {
        space.unlockForReading();
      }
    }
  }

  private static long[] find(AddressSpace space, SwapArea device, long from, long end) {
    long[] found = new long[BATCH];
    int[] count = {0};
    space
        .tables()
        .visit(
            from,
            end,
            (address, entry) -> {
              if (count[0] < BATCH && Pte.isSwap(entry)
                  && SwapEntry.type(Pte.swapSlot(entry)) == device.type()) {
                found[count[0]++] = address;
              }
              return entry;
            });
    return Arrays.copyOf(found, count[0]);
  }

  private static void bringHome(AddressSpace space, SwapArea device, long page)
      throws ErrnoException {
    Area area = space.areas().findAt(page);
    if (area == null) {
      return;
    }
    Outcome outcome = SwapFault.unuse(space, area, page);
    if (outcome == Outcome.OOM) {
      throw new ErrnoException(
          Errno.ENOMEM, device.name() + ": its pages do not fit into memory and other devices");
    }
    if (outcome == Outcome.SWAP_FAILED) {
      throw new ErrnoException(
          Errno.EIO,
          device.name() + ": the page at 0x" + Long.toHexString(page) + " of process "
              + space.pid() + " cannot be read");
    }
  }
}
