// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_DONTCOPY;
import static io.faultline.core.area.VmBits.VM_DONTDUMP;
import static io.faultline.core.area.VmBits.VM_DROPPABLE;
import static io.faultline.core.area.VmBits.VM_HUGEPAGE;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_MAYSHARE;
import static io.faultline.core.area.VmBits.VM_MERGEABLE;
import static io.faultline.core.area.VmBits.VM_NOHUGEPAGE;
import static io.faultline.core.area.VmBits.VM_RAND_READ;
import static io.faultline.core.area.VmBits.VM_SEALED;
import static io.faultline.core.area.VmBits.VM_SEQ_READ;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_SPECIAL;
import static io.faultline.core.area.VmBits.VM_STICKY;
import static io.faultline.core.area.VmBits.VM_WIPEONFORK;
import static io.faultline.core.area.VmBits.VM_WRITE;
import static io.faultline.mm.Mman.*;

import io.faultline.core.area.Area;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code madvise(2)}: {@code do_madvise}, all but the populating advice, which needs no area changed.
 * It goes on behind holes and tells of them at the end. The lock is held for writing.
 */
public final class MadviseOperation {
  private final AddressSpace space;
  private final int advice;

  private MadviseOperation(AddressSpace space, int advice) {
    this.space = space;
    this.advice = advice;
  }

  /** The checks of the arguments; the end of the range, or {@code start} for nothing to do. */
  public static long check(long start, long length, int advice) throws ErrnoException {
    if (!known(advice)) {
      throw Args.invalid("advice: " + advice + " is unknown");
    }
    Args.requireAligned("address", start);
    long bytes = Args.pageAlign(length);
    if (length != 0 && bytes == 0 || Args.below(start + bytes, start)) {
      throw Args.invalid("length: the range wraps around");
    }
    return start + bytes;
  }

  private static boolean known(int advice) {
    return advice >= MADV_NORMAL && advice <= MADV_DONTNEED
        || advice >= MADV_FREE && advice <= MADV_COLLAPSE
        || advice >= MADV_HWPOISON && advice <= MADV_GUARD_REMOVE;
  }

  public static boolean populates(int advice) {
    return advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
  }

  /** Advises about a range that was checked. */
  public static void madvise(AddressSpace space, long start, long end, int advice)
      throws ErrnoException {
    if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE) {
      throw new ErrnoException(
          space.credentials().admin() ? Errno.EINVAL : Errno.EPERM,
          "advice: memory failures are not injected");
    }
    new MadviseOperation(space, advice).walk(start, end);
  }

  /**
   * The pages of files that {@code MADV_WILLNEED} is to read ahead; the lock is held for reading.
   *
   * @return each with a reference on its file
   */
  public static List<FileRange> willNeed(AddressSpace space, long start, long end) {
    List<FileRange> ranges = new ArrayList<>();
    for (Area area = space.areas().find(start); area != null && Args.below(area.start(), end);
        area = space.areas().next(area)) {
      FileRange range = FileRange.toReadAhead(area, Math.max(start, area.start()), end);
      if (range != null) {
        ranges.add(range);
      }
    }
    return ranges;
  }

  /** {@code madvise_walk_vmas}. */
  private void walk(long first, long end) throws ErrnoException {
    long start = first;
    boolean hole = false;
    Area area = space.areas().find(start);
    while (Args.below(start, end)) {
      if (area == null) {
        throw Args.hole(start);
      }
      if (Args.below(start, area.start())) {
        hole = true;
        start = area.start();
        continue;
      }
      long partEnd = Args.below(end, area.end()) ? end : area.end();
      Area changed = advise(area, start, partEnd);
      start = partEnd;
      area = changed.end() > start ? changed : space.areas().find(start);
    }
    if (hole) {
      throw Args.noMemory("address, length: a part of the range is not mapped");
    }
  }

  /** {@code madvise_vma_behavior}. */
  private Area advise(Area area, long start, long end) throws ErrnoException {
    if (!mayDiscard(area)) {
      throw space
          .decisions()
          .refused(
              MmRule.ADVICE_SEALED,
              new ErrnoException(
                  Errno.EPERM, "address: the area at 0x%x is sealed".formatted(area.start())));
    }
    try {
      if (actOnPages(area, start, end)) {
        return area;
      }
    } catch (ErrnoException refused) {
      throw space.decisions().refused(MmRule.PAGE_ADVICE, refused);
    }
    return change(area, start, end, newFlags(area));
  }

  /** Whether the advice is about pages, not flags; then it has been carried out. */
  private boolean actOnPages(Area area, long start, long end) throws ErrnoException {
    switch (advice) {
      case MADV_REMOVE -> PageAdvice.remove(space, area, start, end);
      case MADV_WILLNEED -> {
        // What is to be read is collected by willNeed, and read without the lock.
        PageAdvice.willNeed(space, start, end);
      }
      case MADV_COLD, MADV_PAGEOUT -> PageAdvice.deactivate(space, area, start, end, advice);
      case MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE ->
          PageAdvice.discard(space, area, start, end, advice);
      case MADV_COLLAPSE -> PageAdvice.collapse(space, area, start, end);
      case MADV_GUARD_INSTALL -> PageAdvice.installGuards(space, area, start, end);
      case MADV_GUARD_REMOVE -> PageAdvice.removeGuards(space, area, start, end);
      default -> {
        return false;
      }
    }
    return true;
  }

  /** {@code madvise_update_vma}. */
  private Area change(Area area, long start, long end, long newFlags) throws ErrnoException {
    if (newFlags == area.flagBits()) {
      return area;
    }
    try {
      Area changed = space.modify(area, start, end, newFlags);
      changed.setFlagBits(newFlags | changed.flagBits() & VM_STICKY);
      return changed;
    } catch (ErrnoException refused) {
      if (refused.errno() == Errno.ENOMEM) {
        throw new ErrnoException(Errno.EAGAIN, String.valueOf(refused.getMessage()));
      }
      throw refused;
    }
  }

  private long newFlags(Area area) throws ErrnoException {
    long flags = area.flagBits();
    switch (advice) {
      case MADV_NORMAL:
        return flags & ~(VM_RAND_READ | VM_SEQ_READ);
      case MADV_SEQUENTIAL:
        return flags & ~VM_RAND_READ | VM_SEQ_READ;
      case MADV_RANDOM:
        return flags & ~VM_SEQ_READ | VM_RAND_READ;
      case MADV_DONTFORK:
        return flags | VM_DONTCOPY;
      case MADV_DOFORK:
        refuse(area, VM_IO, "MADV_DOFORK of an I/O region");
        return flags & ~VM_DONTCOPY;
      case MADV_WIPEONFORK:
        if (area.mappedFile() != null || area.hasAny(VM_SHARED)) {
          throw Args.invalid("advice: MADV_WIPEONFORK needs private anonymous memory");
        }
        return flags | VM_WIPEONFORK;
      case MADV_KEEPONFORK:
        refuse(area, VM_DROPPABLE, "MADV_KEEPONFORK of droppable memory");
        return flags & ~VM_WIPEONFORK;
      case MADV_DONTDUMP:
        return flags | VM_DONTDUMP;
      case MADV_DODUMP:
        refuse(area, VM_SPECIAL | VM_DROPPABLE, "MADV_DODUMP of a special mapping");
        return flags & ~VM_DONTDUMP;
      case MADV_MERGEABLE:
        boolean compatible =
            !area.hasAny(VM_SHARED | VM_MAYSHARE | VM_SPECIAL | VM_HUGETLB | VM_DROPPABLE);
        return compatible ? flags | VM_MERGEABLE : flags;
      case MADV_UNMERGEABLE:
        return flags & ~VM_MERGEABLE;
      case MADV_HUGEPAGE:
        return flags & ~VM_NOHUGEPAGE | VM_HUGEPAGE;
      case MADV_NOHUGEPAGE:
        return flags & ~VM_HUGEPAGE | VM_NOHUGEPAGE;
      default:
        throw new IllegalStateException("advice " + advice);
    }
  }

  private static void refuse(Area area, long flags, String what) throws ErrnoException {
    if (area.hasAny(flags)) {
      throw Args.invalid("advice: " + what);
    }
  }

  /**
   * What sealed memory that may not be written allows ({@code can_madvise_modify}): everything but to
   * discard anonymous memory. A file's mapping may be discarded even where it holds private copies.
   */
  private boolean mayDiscard(Area area) {
    boolean discards =
        switch (advice) {
          case MADV_FREE, MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_REMOVE, MADV_DONTFORK,
              MADV_WIPEONFORK, MADV_GUARD_INSTALL -> true;
          default -> false;
        };
    return !discards
        || !area.hasAny(VM_SEALED)
        || !area.isAnonymous()
        || (area.hasAny(VM_WRITE) && space.keys().permits(area, true));
  }
}
