// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_DROPPABLE;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_LOCKED_MASK;
import static io.faultline.core.area.VmBits.VM_LOCKONFAULT;
import static io.faultline.core.area.VmBits.VM_SPECIAL;
import static io.faultline.core.area.VmBits.VM_STICKY;
import static io.faultline.mm.Mman.MCL_CURRENT;
import static io.faultline.mm.Mman.MCL_FUTURE;
import static io.faultline.mm.Mman.MCL_ONFAULT;
import static io.faultline.mm.Mman.MLOCK_ONFAULT;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;

/**
 * {@code mlock(2)}, {@code mlock2(2)}, {@code munlock(2)}, {@code mlockall(2)}, {@code
 * munlockall(2)}. The lock is held for writing; the pages themselves are brought in afterwards.
 */
public final class MlockOperation {
  private MlockOperation() {}

  /**
   * {@code do_mlock}, less the faults.
   *
   * @return what is to be faulted in; its errors are mlock's ({@link #populateError})
   */
  public static PopulateRange mlock(AddressSpace space, long address, long length, int flags)
      throws ErrnoException {
    if ((flags & ~MLOCK_ONFAULT) != 0) {
      throw Args.invalid("flags: 0x" + Integer.toHexString(flags) + " has unknown bits");
    }
    checkCanLock(space);
    long start = Args.pageStart(address);
    long bytes = Args.pageAlign(length + (address - start));
    long limit = space.limits().lockedMemory() >>> PAGE_SHIFT;
    long locked = (bytes >>> PAGE_SHIFT) + space.account().locked();
    if (Args.above(locked, limit) && !space.credentials().ipcLock()) {
      locked -= lockedAlready(space, start, bytes);
    }
    if (Args.above(locked, limit) && !space.credentials().ipcLock()) {
      throw Args.noMemory("length: more than RLIMIT_MEMLOCK allows");
    }
    long lockFlags = VM_LOCKED | ((flags & MLOCK_ONFAULT) != 0 ? VM_LOCKONFAULT : 0);
    apply(space, start, bytes, lockFlags);
    return new PopulateRange(start, bytes);
  }

  /** What mlock answers when its pages cannot be had ({@code __mlock_posix_error_return}). */
  public static ErrnoException populateError(ErrnoException cause) {
    Errno errno =
        switch (cause.errno()) {
          case EFAULT -> Errno.ENOMEM;
          case ENOMEM -> Errno.EAGAIN;
          default -> cause.errno();
        };
    return new ErrnoException(errno, String.valueOf(cause.getMessage()));
  }

  public static void munlock(AddressSpace space, long address, long length)
      throws ErrnoException {
    long start = Args.pageStart(address);
    apply(space, start, Args.pageAlign(length + (address - start)), 0);
  }

  /**
   * @return what is to be faulted in, errors ignored
   */
  public static PopulateRange mlockall(AddressSpace space, int flags) throws ErrnoException {
    if (flags == 0
        || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) != 0
        || flags == MCL_ONFAULT) {
      throw Args.invalid("flags: " + flags + " is no combination of MCL_CURRENT, MCL_FUTURE");
    }
    checkCanLock(space);
    boolean current = (flags & MCL_CURRENT) != 0;
    if (current
        && AddressSpace.exceeds(space.account().total(), space.limits().lockedMemory())
        && !space.credentials().ipcLock()) {
      throw Args.noMemory("MCL_CURRENT: the process is larger than RLIMIT_MEMLOCK");
    }
    long lockFlags = VM_LOCKED | ((flags & MCL_ONFAULT) != 0 ? VM_LOCKONFAULT : 0);
    applyToAll(space, (flags & MCL_FUTURE) != 0 ? lockFlags : 0, current, lockFlags);
    return current
        ? new PopulateRange(0, space.profile().taskSize())
        : PopulateRange.NONE;
  }

  public static void munlockall(AddressSpace space) {
    applyToAll(space, 0, true, 0);
  }

  private static void applyToAll(
      AddressSpace space, long future, boolean current, long lockFlags) {
    space.setDefaultFlags(space.defaultFlags() & ~VM_LOCKED_MASK | future);
    if (!current && future != 0) {
      return;
    }
    long toAdd = current ? lockFlags : 0;
    Area area = space.areas().first();
    while (area != null) {
      Area changed = area;
      try {
        changed = fixUp(space, area, area.start(), area.end(), toAdd);
      } catch (ErrnoException ignored) {
        space.decisions().refused(MmRule.LOCK_CHECKS, ignored);
        // mlockall goes on: an area that cannot be split off stays as it is.
      }
      area = space.areas().next(changed);
    }
  }

  private static void checkCanLock(AddressSpace space) throws ErrnoException {
    if (!space.canLock()) {
      throw new ErrnoException(Errno.EPERM, "RLIMIT_MEMLOCK is 0");
    }
  }

  /** {@code count_mm_mlocked_page_nr}. */
  private static long lockedAlready(AddressSpace space, long start, long bytes) {
    long end = Args.clampEnd(Args.below(start + bytes, start) ? -1L : start + bytes);
    long pages = 0;
    for (Area area = space.areas().find(start);
        area != null && area.start() < end;
        area = space.areas().next(area)) {
      if (area.hasAny(VM_LOCKED)) {
        pages += (Math.min(area.end(), end) - Math.max(area.start(), start)) >>> PAGE_SHIFT;
      }
    }
    return pages;
  }

  /** {@code apply_vma_lock_flags}: stops at the first hole. */
  private static void apply(AddressSpace space, long start, long bytes, long lockFlags)
      throws ErrnoException {
    long end = start + bytes;
    if (Args.below(end, start)) {
      throw Args.invalid("length: the range wraps around");
    }
    if (end == start) {
      return;
    }
    end = Args.clampEnd(end);
    Area area = space.areas().findAt(start);
    if (area == null) {
      throw Args.hole(start);
    }
    long done = start;
    while (done < end) {
      if (area == null || area.start() > done) {
        throw Args.hole(done);
      }
      long partEnd = Math.min(area.end(), end);
      Area changed = fixUp(space, area, done, partEnd, lockFlags);
      done = partEnd;
      area = changed.end() > done ? changed : space.areas().next(changed);
    }
  }

  /** {@code mlock_fixup}: special areas are silently left alone. */
  private static Area fixUp(AddressSpace space, Area area, long start, long end, long lockFlags)
      throws ErrnoException {
    long oldFlags = area.flagBits();
    long newFlags = oldFlags & ~VM_LOCKED_MASK | lockFlags;
    if (newFlags == oldFlags) {
      return area;
    }
    if ((oldFlags & (VM_SPECIAL | VM_HUGETLB | VM_DROPPABLE)) != 0) {
      space.decisions().by(MmRule.NOT_LOCKABLE, start, end);
      return area;
    }
    Area changed = space.modify(area, start, end, newFlags);
    long pages = (end - start) >>> PAGE_SHIFT;
    if ((newFlags & VM_LOCKED) == 0) {
      space.account().addLocked(-pages);
    } else if ((oldFlags & VM_LOCKED) == 0) {
      space.account().addLocked(pages);
    }
    changed.setFlagBits(newFlags | changed.flagBits() & VM_STICKY);
    return changed;
  }
}
