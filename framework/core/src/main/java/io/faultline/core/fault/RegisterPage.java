// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.IoAccess;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a page of registers reads as, for a private mapping that is about to get a copy of it. Linux reads
 * them with the lock of the address space, or of the area, held for reading ({@code
 * __wp_page_copy_user}); hardware is quick. A handler need not be, and is asked a thousand times: here
 * nobody waits for it but the thread that writes.
 */
final class RegisterPage {
  private final long frame;
  private final @Nullable MemorySegment bytes;

  private RegisterPage(long frame, @Nullable MemorySegment bytes) {
    this.frame = frame;
    this.bytes = bytes;
  }

  /**
   * Reads the registers that are mapped at a page, one after the other. No lock is held.
   *
   * @return null when there are none any more
   */
  static @Nullable RegisterPage read(AddressSpace space, long page) {
    PhysicalMemory memory = space.memory();
    long entry = space.tables().get(page);
    if (!Pte.hasFrame(entry) || !memory.isIo(Pte.frame(entry))) {
      return null;
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[Mman.PAGE_SIZE]);
    try {
      IoAccess.copyPage(memory.bus(), Pte.frame(entry), bytes);
      return new RegisterPage(Pte.frame(entry), bytes);
    } catch (BusException failed) {
      // The driver's guard has noted why.
      return new RegisterPage(Pte.frame(entry), null);
    }
  }

  /** Whether it is that frame's. */
  boolean isOf(long number) {
    return frame == number;
  }

  /** Fills a frame; false when the device did not answer. */
  boolean copyTo(PhysicalMemory memory, long to) {
    if (bytes == null) {
      return false;
    }
    memory.segment(to).copyFrom(bytes);
    return true;
  }
}
