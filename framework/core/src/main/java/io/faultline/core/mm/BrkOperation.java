// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_DATA_DEFAULT;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PAGE_SIZE;

import io.faultline.core.area.Area;
import io.faultline.core.area.MergeRequest;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.mm.ErrnoException;

/**
 * The system call {@code brk}: {@code SYSCALL_DEFINE1(brk)} and {@code do_brk_flags}. It never fails:
 * where the heap cannot move, the old end is the answer. The lock is held for writing.
 */
public final class BrkOperation {
  private BrkOperation() {}

  /** The address of the result is the end of the heap. */
  public static MmapResult brk(AddressSpace space, long address) {
    long origin = space.brk();
    MmLayout layout = space.layout();
    if (Args.below(address, layout.startBrk()) || exceedsData(space, address)) {
      space.decisions().by(MmRule.HEAP_HELD, origin, origin);
      return new MmapResult(origin, PopulateRange.NONE);
    }
    long newEnd = Args.pageAlign(address);
    long oldEnd = Args.pageAlign(origin);
    try {
      PopulateRange populate = PopulateRange.NONE;
      if (newEnd == oldEnd) {
        space.setBrk(address);
      } else if (!Args.above(address, origin)) {
        shrink(space, address, newEnd, oldEnd);
      } else {
        populate = grow(space, address, newEnd, oldEnd);
      }
      return new MmapResult(address, populate);
    } catch (ErrnoException refused) {
      space.decisions().refused(MmRule.BRK_CHECKS, refused);
      space.decisions().by(MmRule.HEAP_HELD, origin, origin);
      space.setBrk(origin);
      return new MmapResult(origin, PopulateRange.NONE);
    }
  }

  private static boolean exceedsData(AddressSpace space, long address) {
    MmLayout layout = space.layout();
    long limit = space.limits().data();
    long wanted =
        address - layout.startBrk() + (layout.endData() - layout.startData());
    return limit != Limits.UNLIMITED && Args.above(wanted, limit);
  }

  /** RULES 5: where nothing is mapped in the range, nothing changes. */
  private static void shrink(AddressSpace space, long address, long newEnd, long oldEnd)
      throws ErrnoException {
    Area area = space.areas().findIntersection(newEnd, oldEnd);
    if (area == null) {
      throw Args.hole(newEnd);
    }
    MunmapOperation.unmap(space, newEnd, oldEnd);
    space.setBrk(address);
  }

  private static PopulateRange grow(AddressSpace space, long address, long newEnd, long oldEnd)
      throws ErrnoException {
    long length = newEnd - oldEnd;
    new Placer(space).check(oldEnd, length);
    if (!space.mlockFutureOk(space.defaultFlags(), length)) {
      throw Args.noMemory("address: more than RLIMIT_MEMLOCK allows");
    }
    // RULES 5: one page is kept free above, and the guard gap of a stack.
    Area next =
        space
            .areas()
            .findIntersection(oldEnd, newEnd + PAGE_SIZE + space.guardGapBytes());
    if (next != null && newEnd + PAGE_SIZE > space.unmapped().startGap(next)) {
      throw Args.noMemory("address: runs into the area at 0x" + Long.toHexString(next.start()));
    }
    extend(space, oldEnd, length);
    space.setBrk(address);
    return (space.defaultFlags() & VM_LOCKED) != 0
        ? new PopulateRange(oldEnd, length)
        : PopulateRange.NONE;
  }

  /** {@code do_brk_flags}. */
  private static void extend(AddressSpace space, long start, long length) throws ErrnoException {
    long flags = VM_DATA_DEFAULT | VM_ACCOUNT | space.defaultFlags();
    long pages = length >>> PAGE_SHIFT;
    if (!space.mayExpand(flags, pages)) {
      throw Args.noMemory("address: more than RLIMIT_AS or RLIMIT_DATA allows");
    }
    if (space.areas().size() > space.profile().maxMapCount()) {
      throw space.tooManyAreas();
    }
    space.charge(pages);
    // RULES 4: an area that ends where the heap begins (the bss) is not the heap's.
    Area heap = space.areas().findPrevious(start);
    boolean isHeap = heap != null && heap.end() > space.layout().startBrk() && heap.end() == start;
    if (!isHeap) {
      space.decisions().by(MmRule.FIRST_BRK, start, start + length);
    }
    Area merged =
        heap == null || !isHeap
            ? null
            : space
                .merger()
                .mergeNew(
                    MergeRequest.ofGrowth(
                        space.areas(), heap, start, start + length, start >>> PAGE_SHIFT, flags));
    if (merged == null) {
      space
          .areas()
          .insert(
              new Area(
                  space.pid(), start, start + length, start >>> PAGE_SHIFT, flags, null));
    }
    space.account().add(flags, pages);
    if ((flags & VM_LOCKED) != 0) {
      space.account().addLocked(pages);
    }
  }
}
