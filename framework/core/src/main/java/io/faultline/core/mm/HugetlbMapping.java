// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_MAYSHARE;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_FIXED_NOREPLACE;
import static io.faultline.mm.Mman.MAP_GROWSDOWN;
import static io.faultline.mm.Mman.MAP_HUGE_SHIFT;
import static io.faultline.mm.Mman.MAP_LOCKED;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MAP_SHARED_VALIDATE;
import static io.faultline.mm.Mman.MAP_TYPE;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;

/**
 * {@code mmap} with MAP_HUGETLB where no huge page is free: all of Linux's checks, and then ENOMEM,
 * which comes so late that what a MAP_FIXED replaces is gone (RULES 1).
 */
public final class HugetlbMapping {
  private static final int SIZE_MASK = 0x3f;
  private static final int LOG_2_MIB = 21;
  private static final int LOG_1_GIB = 30;

  private HugetlbMapping() {}

  public static long mmap(
      AddressSpace space, long address, long length, int prot, int callFlags, long pageOffset)
      throws ErrnoException {
    try {
      return mapChecked(space, address, length, prot, callFlags, pageOffset);
    } catch (ErrnoException refused) {
      throw space.decisions().refused(MmRule.HUGETLB_CHECKS, refused);
    }
  }

  private static long mapChecked(
      AddressSpace space, long address, long length, int prot, int callFlags, long pageOffset)
      throws ErrnoException {
    int asked = callFlags >>> MAP_HUGE_SHIFT & SIZE_MASK;
    int log = asked == 0 ? LOG_2_MIB : asked;
    if (log != LOG_2_MIB && log != LOG_1_GIB) {
      throw Args.invalid("flags: there are no huge pages of 2^" + log + " bytes");
    }
    long huge = 1L << log;
    long bytes = (length + huge - 1) & -huge;
    if (bytes == 0) {
      throw Args.invalid("length: is 0, or overflows when rounded up to huge pages");
    }
    int flags = (callFlags & MAP_FIXED_NOREPLACE) != 0 ? callFlags | MAP_FIXED : callFlags;
    boolean fixed = (flags & MAP_FIXED) != 0;
    if (Args.below(pageOffset + (bytes >>> PAGE_SHIFT), pageOffset)) {
      throw new ErrnoException(Errno.EOVERFLOW, "offset, length: their sum overflows");
    }
    if (Args.above(bytes, space.profile().taskSize())) {
      throw Args.noMemory("length: is larger than user space");
    }
    if (fixed && (address & (huge - 1)) != 0) {
      throw Args.invalid("address: is not a multiple of the huge page");
    }
    long place = new Placer(space).place(null, fixed ? address : 0, bytes, 0, flags & MAP_FIXED);
    if ((flags & MAP_FIXED_NOREPLACE) != 0
        && space.areas().findIntersection(place, place + bytes) != null) {
      throw new ErrnoException(Errno.EEXIST, "address: something is mapped there");
    }
    boolean locked = (flags & MAP_LOCKED) != 0;
    if (locked && !space.canLock()) {
      throw new ErrnoException(Errno.EPERM, "flags: MAP_LOCKED, but RLIMIT_MEMLOCK is 0");
    }
    long vmFlags =
        VM_HUGETLB
            | space.defaultFlags()
            | (locked ? VM_LOCKED : 0)
            | ((flags & MAP_GROWSDOWN) != 0 ? VM_GROWSDOWN : 0)
            | MmapOperation.protBits(prot, 0);
    int type = flags & MAP_TYPE;
    if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
      // Shared memory is no data: RLIMIT_DATA does not count it.
      vmFlags |= VM_SHARED | VM_MAYSHARE;
    }
    if (!space.mlockFutureOk(vmFlags, bytes)) {
      throw new ErrnoException(Errno.EAGAIN, "length: more than RLIMIT_MEMLOCK allows");
    }
    if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE && type != MAP_PRIVATE) {
      throw Args.invalid("flags: type 0x%x is no type of a huge mapping".formatted(type));
    }
    int unknown = flags & ~MmapOperation.LEGACY_MASK;
    if (type == MAP_SHARED_VALIDATE && unknown != 0) {
      throw new ErrnoException(
          Errno.EOPNOTSUPP,
          "flags: MAP_SHARED_VALIDATE, and 0x%x is not supported".formatted(unknown));
    }
    if ((vmFlags & VM_GROWSDOWN) != 0) {
      throw Args.invalid("flags: MAP_GROWSDOWN with MAP_HUGETLB");
    }
    if (space.profile().freeHugePages() > 0) {
      throw new UnsupportedOperationException("MAP_HUGETLB: huge pages are not built");
    }
    UnmapBatch old = new UnmapBatch(space, place, place + bytes);
    old.gather();
    if (!space.mayExpand(vmFlags, (bytes >>> PAGE_SHIFT) - old.pages())) {
      throw Args.noMemory("length: more than RLIMIT_AS or RLIMIT_DATA allows");
    }
    if (!old.isEmpty()) {
      space.decisions().by(MmRule.HUGETLB_HOLE_LEFT, place, place + bytes);
    }
    old.remove();
    if ((pageOffset & (huge - 1) >>> PAGE_SHIFT) != 0) {
      throw Args.invalid("offset: is not a multiple of the huge page");
    }
    throw Args.noMemory("flags: MAP_HUGETLB, but no huge page is free");
  }
}
