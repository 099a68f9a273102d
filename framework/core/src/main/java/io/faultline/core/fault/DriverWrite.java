// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MappedFile;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageProtector;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A driver with {@code pageMkwrite} lets somebody write to its page ({@code do_page_mkwrite}, {@code
 * wp_page_shared}). No lock is held across its callback but the space's; so another thread may have the
 * page write-protected between the callback and the entry, and the driver may have taken off its list what
 * it noted in the callback. That is noticed by {@link FileMapping#protections}, with the frame's lock held
 * which whoever protects holds too; then the fault begins anew, but not for ever, since it may
 * be the callback itself that protects. (In Linux the driver answers with the page
 * locked.)
 */
final class DriverWrite {
  private DriverWrite() {}

  /**
   * There is no entry yet ({@code do_shared_fault}).
   *
   * @param answer with a page, and a reference on it that goes to the entry or is dropped
   */
  static Outcome first(
      AddressSpace space, Area area, AreaOperations operations, long page, Nopage answer) {
    PhysicalMemory memory = space.memory();
    Page found = Objects.requireNonNull(answer.page());
    long frame = found.frameNumber();
    FileMapping places = places(area);
    long before = protections(places, frame);
    boolean allowed = false;
    try {
      allowed = operations.pageMkwrite(area, page, found);
    } finally {
      // Also when the call was given up, and ends with an error.
      if (!allowed) {
        memory.put(frame);
      }
    }
    if (!allowed) {
      return Outcome.SIGBUS;
    }
    long entry = Pte.of(frame, PageProtector.rights(area, true), Pte.ACCESSED | Pte.WRITTEN);
    boolean installed = false;
    boolean current;
    memory.table().lock(frame);
    try {
      current = protections(places, frame) == before;
      if (current) {
        AreaFaults.markDirty(memory, frame);
        installed = space.tables().compareAndSet(page, Pte.NONE, entry);
      }
    } finally {
      memory.table().unlock(frame);
    }
    if (!installed) {
      memory.put(frame);
    }
    return current ? AreaFaults.outcome(answer) : Outcome.PROTECTED;
  }

  /**
   * There is an entry without the right to write ({@code do_wp_page}).
   *
   * @param entry it, with a reference on its frame
   */
  static Outcome again(
      AddressSpace space, Area area, AreaOperations operations, long page, long entry) {
    PhysicalMemory memory = space.memory();
    long frame = Pte.frame(entry);
    if (!memory.tryGet(frame)) {
      return Outcome.RETRY;
    }
    try {
      FileMapping places = places(area);
      long before = protections(places, frame);
      if (!operations.pageMkwrite(area, page, memory.lend(frame))) {
        return Outcome.SIGBUS;
      }
      memory.table().lock(frame);
      try {
        if (protections(places, frame) != before) {
          return Outcome.PROTECTED;
        }
        if (space.tables().compareAndSet(page, entry, AreaFaults.writable(area, entry))) {
          AreaFaults.markDirty(memory, frame);
        }
        return Outcome.MINOR;
      } finally {
        memory.table().unlock(frame);
      }
    } finally {
      memory.put(frame);
    }
  }

  private static @Nullable FileMapping places(Area area) {
    MappedFile file = area.mappedFile();
    return file == null ? null : file.places();
  }

  private static long protections(@Nullable FileMapping places, long frame) {
    return places == null ? 0 : places.protections(frame);
  }
}
