// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import static io.faultline.core.area.VmBits.VM_ACCESS;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_LOCKONFAULT;
import static io.faultline.core.area.VmBits.VM_MAYREAD;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.device.AbandonedCallError;
import io.faultline.core.device.Tracer;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageFaults;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Protection;

/**
 * Faults pages in before they are touched: for MAP_POPULATE, mlock and madvise ({@code mm_populate},
 * {@code populate_vma_page_range}, {@code faultin_page_range}). Thread-safe.
 */
public final class Populate implements PageFaults {
  /** All pages are there: no address is odd. */
  private static final long DONE = -1;

  private final Tracer tracer;

  public Populate(Tracer tracer) {
    this.tracer = tracer;
  }

  /**
   * After a call that succeeded: all pages of a range, holes and special areas left out. Waits for a
   * driver that is being updated as a fault does, with no lock held.
   *
   * @param ignoreErrors go on with the next area
   * @throws ErrnoException the first error unless they are ignored; EINTR
   */
  public void populate(AddressSpace space, long start, long length, boolean ignoreErrors)
      throws ErrnoException {
    long end = start + length;
    boolean done;
    try {
      done = whileParked(space, start, cursor -> populateFrom(space, cursor, end, ignoreErrors));
    } catch (ErrnoException refused) {
      if (ignoreErrors && refused.errno() != Errno.ESRCH) {
        return;
      }
      throw refused;
    }
    if (!done && !ignoreErrors) {
      throw interrupted();
    }
  }

  /** A stretch of pages, faulted in with the lock held. */
  @FunctionalInterface
  private interface Stretch {
    /**
     * @return {@link #DONE}, or the page whose driver is to be waited for
     */
    long from(long cursor) throws ErrnoException;
  }

  /** False when the thread was interrupted while it waited. */
  private static boolean whileParked(AddressSpace space, long start, Stretch stretch)
      throws ErrnoException {
    long cursor = start;
    while (true) {
      space.lockForReading();
      try {
        cursor = stretch.from(cursor);
      } catch (AbandonedCallError tooLate) {
        throw refused(cursor, String.valueOf(tooLate.getMessage()));
      } finally {
        space.unlockForReading();
      }
      if (cursor == DONE) {
        return true;
      }
      if (!Parked.pause(space, cursor)) {
        return false;
      }
    }
  }

  private static ErrnoException interrupted() {
    return new ErrnoException(Errno.EINTR, "the wait for the driver was interrupted");
  }

  private long populateFrom(AddressSpace space, long start, long end, boolean ignoreErrors)
      throws ErrnoException {
    long cursor = start;
    while (cursor < end) {
      Area area = space.areas().findIntersection(cursor, end);
      if (area == null) {
        return DONE;
      }
      long from = Math.max(cursor, area.start());
      long to = Math.min(end, area.end());
      cursor = to;
      if (area.hasAny(VM_IO | VM_PFNMAP)) {
        continue;
      }
      try {
        long parked = populatePart(space, from, to);
        if (parked != DONE) {
          return parked;
        }
      } catch (ErrnoException refused) {
        if (!ignoreErrors) {
          throw refused;
        }
      }
    }
    return DONE;
  }

  /** With the lock held, which the caller needs: nobody is waited for. */
  @Override
  public void populateArea(AddressSpace space, long start, long end) throws ErrnoException {
    long parked = populatePart(space, start, end);
    if (parked != DONE) {
      throw refused(parked, "its driver is not there");
    }
  }

  private long populatePart(AddressSpace space, long start, long end) throws ErrnoException {
    Area area = space.areas().findAt(start);
    if (area == null) {
      throw refused(start, "nothing is mapped");
    }
    if (area.hasAny(VM_LOCKONFAULT)) {
      return DONE;
    }
    if (!area.hasAny(VM_ACCESS)) {
      throw refused(start, "the area allows no access");
    }
    // Private writable memory is written, so that it need not be copied later; shared memory is only
    // read, so that it does not become dirty for nothing.
    boolean write = (area.flagBits() & (VM_WRITE | VM_SHARED)) == VM_WRITE;
    if (!space.keys().permits(area, write)) {
      throw refused(start, "the protection key denies it");
    }
    boolean readable = area.hasAny(VM_READ | VM_MAYREAD);
    if (!write && !readable) {
      throw refused(start, "the area cannot be read");
    }
    return faultIn(space, area, start, end, write ? Access.WRITE : Access.READ);
  }

  /**
   * {@code MADV_POPULATE_READ} and {@code _WRITE}.
   *
   * @throws ErrnoException ENOMEM at a hole, EINVAL where the area does not allow it, EFAULT where a
   *     page cannot be had, EINTR
   */
  public void advise(AddressSpace space, long start, long end, boolean write)
      throws ErrnoException {
    // Addresses are unsigned: an end in the upper half lies beyond every area.
    long last = end < 0 ? Long.MAX_VALUE : end;
    if (!whileParked(space, start, cursor -> adviseFrom(space, cursor, last, write))) {
      throw interrupted();
    }
  }

  private long adviseFrom(AddressSpace space, long start, long end, boolean write)
      throws ErrnoException {
    long cursor = start;
    while (cursor < end) {
      Area area = space.areas().findAt(cursor);
      if (area == null) {
        throw new ErrnoException(
            Errno.ENOMEM, "address: nothing is mapped at 0x" + Long.toHexString(cursor));
      }
      boolean allowed =
          !area.hasAny(VM_IO | VM_PFNMAP)
              && area.hasAny(write ? VM_WRITE : VM_READ)
              && space.keys().permits(area, write);
      if (!allowed) {
        throw new ErrnoException(
            Errno.EINVAL, "address: the area at 0x%x does not allow it".formatted(area.start()));
      }
      long to = Math.min(end, area.end());
      long parked = faultIn(space, area, cursor, to, write ? Access.WRITE : Access.READ);
      if (parked != DONE) {
        return parked;
      }
      cursor = to;
    }
    return DONE;
  }

  /**
   * @return {@link #DONE}, or the page whose driver is to be waited for
   */
  private long faultIn(AddressSpace space, Area area, long start, long end, Access access)
      throws ErrnoException {
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasPopulate()) {
      try {
        operations.populate(
            area, start, end - start, Protection.ofFlags(area.flags()), area.pageOffsetOf(start),
            false, new FaultPageMapper(space, area));
      } catch (ErrnoException refused) {
        if (Parked.isToWait(area)) {
          return start;
        }
        throw refused;
      }
      if (tracer.enabled()) {
        tracer.emit(
            TraceEvent.Kind.POPULATE, space.pid(), operations.owner(), start, end, "populate");
      }
    }
    for (long page = start; page < end; page += Mman.PAGE_SIZE) {
      Outcome outcome = AreaFaults.handle(space, area, page, access);
      if (outcome == Outcome.OOM) {
        throw new ErrnoException(Errno.ENOMEM, "physical memory is used up");
      }
      if (outcome == Outcome.SIGBUS && Parked.isToWait(area)) {
        return page;
      }
      if (outcome.failed()) {
        throw refused(
            page, operations == null ? "no page can be had" : operations.lastRefusal());
      }
    }
    return DONE;
  }

  private static ErrnoException refused(long address, String why) {
    return new ErrnoException(
        Errno.EFAULT, "address: 0x" + Long.toHexString(address) + ": " + why);
  }
}
