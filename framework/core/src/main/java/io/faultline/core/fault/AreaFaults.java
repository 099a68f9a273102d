// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.FrameTable;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageProtector;
import io.faultline.core.paging.FrameGather;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Access;
import io.faultline.mm.FaultType;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import org.jspecify.annotations.Nullable;

/**
 * Supplies one page of an area whose rights allow the access ({@code handle_mm_fault}): a page of
 * zeros, the driver's page, a copy. Stateless; the space's lock is held for reading.
 *
 * <pre>
 *              no entry                              entry without the right to write
 *   anonymous  read:  the page of zeros, shared      write: copy, or reuse by the last owner
 *              write: a new page
 *   driver     mapPages, nopage                      private: copy
 *              private write: nopage, copy           shared:  pageMkwrite
 *              shared write:  nopage, pageMkwrite
 * </pre>
 */
final class AreaFaults {
  /** Pages before and behind a faulting one that a driver may map at once (fault-around). */
  private static final int FAULT_AROUND_PAGES = 16;

  /** So often a driver is asked for one fault whether a page may be written. */
  private static final int MOST_PROTECTIONS = 1000;

  /** Why {@link Outcome#PROTECTED} is the end. */
  static final String ALWAYS_PROTECTED =
      ": the page was write-protected each time that pageMkwrite had let it be written; call"
          + " writeProtect from elsewhere";

  /** Bytes that one page table covers. */
  private static final long TABLE_SPAN = 2L << 20;

  private AreaFaults() {}

  /**
   * @param page the faulting address, rounded down to its page
   */
  static Outcome handle(AddressSpace space, Area area, long page, Access access) {
    return handle(space, area, page, access, null);
  }

  /**
   * @param page the faulting address, rounded down to its page
   * @param registers what was read where the answer was {@link Outcome#REGISTERS}
   */
  static Outcome handle(
      AddressSpace space, Area area, long page, Access access, @Nullable RegisterPage registers) {
    Outcome outcome = tryToHandle(space, area, page, access, registers);
    int left = MOST_PROTECTIONS;
    while (outcome == Outcome.RETRY || outcome == Outcome.PROTECTED && left > 0) {
      if (outcome == Outcome.PROTECTED) {
        left--;
      }
      outcome = tryToHandle(space, area, page, access, registers);
    }
    return outcome;
  }

  private static Outcome tryToHandle(
      AddressSpace space, Area area, long page, Access access, @Nullable RegisterPage registers) {
    long entry = space.tables().get(page);
    if (Pte.hasFrame(entry)) {
      return access == Access.WRITE && !Pte.isWritable(entry)
          ? writeProtected(space, area, page, entry, registers)
          : Outcome.MINOR;
    }
    if (Pte.isGuard(entry)) {
      return Outcome.GUARD;
    }
    if (Pte.isSwap(entry)) {
      return swapped(space, area, page, access);
    }
    AreaOperations operations = area.operations();
    if (operations == null) {
      return anonymous(space, area, page, access);
    }
    if (!operations.hasNopage()) {
      return Outcome.NO_NOPAGE;
    }
    if (access != Access.WRITE) {
      return read(space, area, operations, page, access);
    }
    return area.hasAny(VM_SHARED)
        ? sharedWrite(space, area, operations, page)
        : privateWrite(space, area, operations, page);
  }

  /** A write to a page that others share is copied at once. */
  private static Outcome swapped(AddressSpace space, Area area, long page, Access access) {
    Outcome outcome = SwapFault.handle(space, area, page, access);
    if (outcome.failed() || access != Access.WRITE) {
      return outcome;
    }
    long entry = space.tables().get(page);
    if (!Pte.hasFrame(entry) || Pte.isWritable(entry)) {
      return outcome;
    }
    Outcome copied = writeProtected(space, area, page, entry, null);
    return copied.failed() ? copied : outcome;
  }

  /** {@code do_anonymous_page}. */
  private static Outcome anonymous(AddressSpace space, Area area, long page, Access access) {
    if (area.hasAny(VM_SHARED)) {
      return Outcome.SIGBUS;
    }
    PhysicalMemory memory = space.memory();
    if (access != Access.WRITE) {
      if (HugePageRule.wouldBeHuge(space, area, page)) {
        space.prepareAnonVma(area);
      }
      long zeros =
          Pte.of(
              memory.zeroFrame(),
              PageProtector.rights(area, false),
              Pte.SPECIAL | Pte.ACCESSED);
      space.tables().compareAndSet(page, Pte.NONE, zeros);
      return Outcome.MINOR;
    }
    space.prepareAnonVma(area);
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    if (frame == PhysicalMemory.NONE) {
      return Outcome.OOM;
    }
    install(space, page, Pte.NONE, ownPage(area, page, memory, frame), frame);
    return Outcome.MINOR;
  }

  /** An entry for a new page of the area's anon_vma ({@code folio_add_new_anon_rmap}). */
  private static long ownPage(Area area, long page, PhysicalMemory memory, long frame) {
    memory.table().setOwner(frame, area.anonVmas().own(), area.pageOffsetOf(page));
    return Pte.of(
        frame, PageProtector.rights(area, true), Pte.ANON | Pte.ACCESSED | Pte.WRITTEN);
  }

  /** The entry stands, or does not: a frame that came locked is let go of, its reference kept or not. */
  private static void unlock(
      AddressSpace space, AreaOperations operations, long frame, boolean keep) {
    if (operations.returnsLocked()) {
      space.memory().table().unlock(frame);
    }
    if (!keep) {
      space.memory().put(frame);
    }
  }

  /** Puts an entry in unless another fault was faster. */
  private static boolean install(AddressSpace space, long page, long expected, long entry) {
    return space.tables().compareAndSet(page, expected, entry);
  }

  /** Puts an entry in unless another fault was faster; then the frame is not needed. */
  private static boolean install(
      AddressSpace space, long page, long expected, long entry, long frame) {
    boolean first = install(space, page, expected, entry);
    if (!first) {
      space.memory().put(frame);
    }
    return first;
  }

  /** {@code do_read_fault}. */
  private static Outcome read(
      AddressSpace space, Area area, AreaOperations operations, long page, Access access) {
    if (operations.hasMapPages()) {
      mapAround(space, area, operations, page);
      if (Pte.hasFrame(space.tables().get(page))) {
        return Outcome.MINOR;
      }
    }
    Nopage answer = operations.nopage(area, page, access);
    boolean writable = area.hasAny(VM_SHARED) && !operations.hasPageMkwrite();
    Page found = answer.page();
    if (found == null) {
      return answer.frame() < 0 ? refusal(answer) : bare(space, area, page, answer, writable);
    }
    long frame = found.frameNumber();
    long entry = Pte.of(frame, PageProtector.rights(area, writable), Pte.ACCESSED);
    unlock(space, operations, frame, install(space, page, Pte.NONE, entry));
    return outcome(answer);
  }

  /** A frame number without a page: {@code vmf_insert_pfn}. The operations have checked it. */
  private static Outcome bare(
      AddressSpace space, Area area, long page, Nopage answer, boolean writable) {
    long entry =
        Pte.of(
            answer.frame(), PageProtector.rights(area, writable), Pte.SPECIAL | Pte.ACCESSED);
    install(space, page, Pte.NONE, entry);
    return Outcome.MINOR;
  }

  private static void mapAround(
      AddressSpace space, Area area, AreaOperations operations, long page) {
    // As do_fault_around has it: the window begins on a multiple of its size, or with the area, and
    // is as long in either case, unless the area or the page table ends.
    long window = (long) FAULT_AROUND_PAGES * Mman.PAGE_SIZE;
    long from = Math.max(area.start(), page & -window);
    long tableEnd = (page & -TABLE_SPAN) + TABLE_SPAN;
    long to = Math.min(Math.min(area.end(), tableEnd), from + window);
    operations.mapPages(
        area,
        area.pageOffsetOf(from),
        area.pageOffsetOf(to - Mman.PAGE_SIZE),
        new FaultPageMapper(space, area));
  }

  /** {@code do_cow_fault}; the anon_vma is assigned even if the driver has no page (RULES 20). */
  private static Outcome privateWrite(
      AddressSpace space, Area area, AreaOperations operations, long page) {
    space.prepareAnonVma(area);
    PhysicalMemory memory = space.memory();
    // First, as in Linux: making room may write files back, and must not meet a page that we locked.
    long copy = memory.allocate(FrameUse.ANONYMOUS);
    if (copy == PhysicalMemory.NONE) {
      return Outcome.OOM;
    }
    Nopage answer;
    boolean answered = false;
    try {
      answer = operations.nopage(area, page, Access.WRITE);
      answered = true;
    } finally {
      // The call was given up, and has ended with an error.
      if (!answered) {
        memory.put(copy);
      }
    }
    Page found = answer.page();
    if (found == null) {
      memory.put(copy);
      return refusal(answer);
    }
    long original = found.frameNumber();
    memory.copy(original, copy);
    install(space, page, Pte.NONE, ownPage(area, page, memory, copy), copy);
    unlock(space, operations, original, false);
    return answer.type() == FaultType.MAJOR ? Outcome.MAJOR : Outcome.COPY;
  }

  /** {@code do_shared_fault}. */
  private static Outcome sharedWrite(
      AddressSpace space, Area area, AreaOperations operations, long page) {
    Nopage answer = operations.nopage(area, page, Access.WRITE);
    Page found = answer.page();
    if (found == null) {
      return answer.frame() < 0 ? refusal(answer) : bare(space, area, page, answer, true);
    }
    long frame = found.frameNumber();
    if (operations.hasPageMkwrite()) {
      if (!operations.returnsLocked()) {
        return DriverWrite.first(space, area, operations, page, answer);
      }
      if (!operations.pageMkwrite(area, page, found)) {
        unlock(space, operations, frame, false);
        return Outcome.SIGBUS;
      }
    }
    markDirty(space.memory(), frame);
    long entry =
        Pte.of(frame, PageProtector.rights(area, true), Pte.ACCESSED | Pte.WRITTEN);
    unlock(space, operations, frame, install(space, page, Pte.NONE, entry));
    return outcome(answer);
  }

  /** {@code do_wp_page}: a write to a page that is there but may not be written. */
  private static Outcome writeProtected(
      AddressSpace space, Area area, long page, long entry, @Nullable RegisterPage registers) {
    PhysicalMemory memory = space.memory();
    long frame = Pte.frame(entry);
    if (area.hasAny(VM_SHARED)) {
      AreaOperations operations = area.operations();
      if (operations != null && operations.returnsLocked()) {
        return cachedWrite(space, area, operations, page, entry);
      }
      if (operations != null && operations.hasPageMkwrite() && !Pte.isSpecial(entry)) {
        return DriverWrite.again(space, area, operations, page, entry);
      }
      boolean counted = !Pte.isSpecial(entry);
      if (counted && !memory.tryGet(frame)) {
        return Outcome.RETRY;
      }
      if (space.tables().compareAndSet(page, entry, writable(area, entry)) && counted) {
        markDirty(memory, frame);
      }
      if (counted) {
        memory.put(frame);
      }
      return Outcome.MINOR;
    }
    // The last owner of a copied page need not copy it once more.
    if (Pte.isAnonymous(entry) && memory.references(frame) == 1) {
      memory.events().count(VmEvent.PGREUSE);
      space.tables().compareAndSet(page, entry, writable(area, entry));
      return Outcome.COPY;
    }
    space.prepareAnonVma(area);
    if (memory.isIo(frame) && (registers == null || !registers.isOf(frame))) {
      return Outcome.REGISTERS;
    }
    long copy = memory.allocate(FrameUse.ANONYMOUS);
    if (copy == PhysicalMemory.NONE) {
      return Outcome.OOM;
    }
    // A new frame is full of zeros already.
    if (frame != memory.zeroFrame()) {
      // A page of the page cache may be taken away any time: it stays until it is copied.
      boolean counted = !Pte.isSpecial(entry);
      if (counted && !memory.tryGet(frame)) {
        memory.put(copy);
        return Outcome.RETRY;
      }
      boolean copied = true;
      if (registers != null && memory.isIo(frame)) {
        copied = registers.copyTo(memory, copy);
      } else {
        memory.copy(frame, copy);
      }
      if (counted) {
        memory.put(frame);
      }
      if (!copied) {
        memory.put(copy);
        return Outcome.SIGBUS;
      }
    }
    if (install(space, page, entry, ownPage(area, page, memory, copy), copy)) {
      FrameGather gather = new FrameGather(space.tables());
      if (Pte.isSpecial(entry)) {
        gather.touch(page);
      } else {
        gather.add(page, frame);
      }
      gather.finish();
    }
    return Outcome.COPY;
  }

  /** {@code do_wp_page} of a page of the page cache, which may be taken away any time. */
  private static Outcome cachedWrite(
      AddressSpace space, Area area, AreaOperations operations, long page, long entry) {
    PhysicalMemory memory = space.memory();
    long frame = Pte.frame(entry);
    if (!memory.tryGet(frame)) {
      return Outcome.RETRY;
    }
    memory.table().lock(frame);
    try {
      if (space.tables().get(page) != entry) {
        return Outcome.RETRY;
      }
      if (!operations.pageMkwrite(area, page, memory.lend(frame))) {
        return Outcome.SIGBUS;
      }
      return space.tables().compareAndSet(page, entry, writable(area, entry))
          ? Outcome.MINOR
          : Outcome.RETRY;
    } finally {
      memory.table().unlock(frame);
      memory.put(frame);
    }
  }

  /**
   * A fault that lets somebody write to a shared page makes it dirty for all ({@code
   * fault_dirty_shared_page}). Pages of files are marked by their cache, which keeps account of them.
   *
   * <p>Precondition: the caller holds a reference.
   */
  static void markDirty(PhysicalMemory memory, long frame) {
    if (memory.use(frame) != FrameUse.FILE) {
      boolean unused = memory.table().set(frame, FrameTable.DIRTY);
    }
  }

  static long writable(Area area, long entry) {
    return Pte.withProtection(entry, PageProtector.rights(area, true))
        | Pte.WRITTEN
        | Pte.ACCESSED;
  }

  static Outcome outcome(Nopage answer) {
    return answer.type() == FaultType.MAJOR ? Outcome.MAJOR : Outcome.MINOR;
  }

  private static Outcome refusal(Nopage answer) {
    return answer == Nopage.OOM ? Outcome.OOM : Outcome.SIGBUS;
  }
}
