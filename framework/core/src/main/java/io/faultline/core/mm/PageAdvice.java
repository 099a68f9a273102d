// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_MAYBE_GUARD;
import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_NOHUGEPAGE;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_SPECIAL;
import static io.faultline.core.area.VmBits.VM_WRITE;
import static io.faultline.mm.Mman.MADV_COLD;
import static io.faultline.mm.Mman.MADV_DONTNEED_LOCKED;
import static io.faultline.mm.Mman.MADV_FREE;

import io.faultline.core.area.Area;
import io.faultline.core.area.MappedFile;
import io.faultline.core.device.OpenFileObject;
import io.faultline.core.memory.FileMapping;
import io.faultline.core.paging.Pte;
import io.faultline.core.swap.SwapReader;
import io.faultline.device.FileKind;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The advice of {@code madvise(2)} that acts on pages and leaves areas alone. */
final class PageAdvice {
  private PageAdvice() {}

  /** {@code madvise_dontneed_free}. */
  static void discard(AddressSpace space, Area area, long start, long end, int advice)
      throws ErrnoException {
    long forbidden = VM_PFNMAP | (advice == MADV_DONTNEED_LOCKED ? 0 : VM_LOCKED);
    if (area.hasAny(forbidden)) {
      throw Args.invalid("advice: the pages at 0x%x are locked or special".formatted(start));
    }
    if (advice == MADV_FREE && !area.isAnonymous()) {
      throw Args.invalid("advice: MADV_FREE needs anonymous memory");
    }
    if (advice == MADV_FREE) {
      LazyFree.mark(space, start, end);
    } else {
      PageZapper.zap(space, start, end, true);
      // Tables that are wholly in the range and empty now go as well (zap_pte_range, reclaim_pt).
      space.tables().freeTables(start, end, start, end);
    }
  }

  /** {@code madvise_cold}, {@code madvise_pageout}. */
  static void deactivate(AddressSpace space, Area area, long start, long end, int advice)
      throws ErrnoException {
    if (area.hasAny(VM_LOCKED | VM_PFNMAP | VM_HUGETLB)) {
      throw Args.invalid("advice: the area is locked or special");
    }
    Deactivation pages = new Deactivation(space);
    if (advice == MADV_COLD) {
      pages.cool(start, end);
    } else {
      pages.pageOut(start, end);
    }
  }

  /** {@code madvise_willneed}: what was swapped out is read in, but not yet mapped. */
  static void willNeed(AddressSpace space, long start, long end) {
    SwapReader reader = space.services().swapReader();
    List<Long> entries = new ArrayList<>();
    space
        .tables()
        .visit(
            start,
            end,
            (address, entry) -> {
              if (Pte.isSwap(entry)) {
                entries.add(Pte.swapSlot(entry));
              }
              return entry;
            });
    for (long entry : entries) {
      if (!space.services().swap().isCached(entry)
          && reader.bringIn(entry, SwapReader.CLUSTER) == SwapReader.Result.OUT_OF_MEMORY) {
        return;
      }
    }
  }

  /** {@code madvise_remove}: punches a hole into the file. */
  static void remove(AddressSpace space, Area area, long start, long end) throws ErrnoException {
    if (area.hasAny(VM_LOCKED)) {
      throw Args.invalid("advice: MADV_REMOVE of locked memory");
    }
    MappedFile file = area.mappedFile();
    if (file == null) {
      throw Args.invalid("advice: MADV_REMOVE needs a file");
    }
    if ((area.flagBits() & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE)) {
      throw new ErrnoException(Errno.EACCES, "advice: MADV_REMOVE needs a writable shared mapping");
    }
    if (file.inode().kind() != FileKind.REGULAR) {
      throw new ErrnoException(Errno.ENODEV, "advice: MADV_REMOVE needs a regular file");
    }
    if (file instanceof OpenFileObject object && object.hasPageCache()) {
      throw new ErrnoException(
          Errno.EOPNOTSUPP, "advice: MADV_REMOVE: holes in files are not built");
    }
    long firstPage = area.pageOffsetOf(start);
    PageZapper.zap(space, start, end, true);
    if (file instanceof OpenFileObject object
        && object.inode().provider() instanceof SharedMemoryProvider memory) {
      long endPage = firstPage + ((end - start) >>> Mman.PAGE_SHIFT);
      FileMapping mapping = object.mapping();
      if (mapping != null) {
        space.services().fileRmap().unmap(mapping, firstPage, endPage, false);
      }
      memory.punchHole(firstPage, endPage);
    }
  }

  /**
   * {@code madvise_collapse}. There are no huge pages here; what can be seen of a collapse is that
   * every page of the 2 MiB is in memory afterwards.
   */
  static void collapse(AddressSpace space, Area area, long start, long end)
      throws ErrnoException {
    SharedMemoryProvider object = sharedMemory(area);
    boolean eligible =
        (object != null || area.isAnonymous() && area.anonVmas().own() != null)
            && !area.hasAny(VM_SPECIAL | VM_HUGETLB | VM_NOHUGEPAGE)
            && hasRoomForHugePage(area, object != null);
    if (!eligible) {
      throw Args.invalid("advice: the area at 0x%x takes no huge page".formatted(area.start()));
    }
    long from = (start + Placer.PMD_SIZE - 1) & -Placer.PMD_SIZE;
    long to = end & -Placer.PMD_SIZE;
    // A part within one huge page is refused; one that crosses a border, and holds none, is not.
    boolean missed = to < from;
    for (long huge = from; huge < to; huge += Placer.PMD_SIZE) {
      missed |= object != null
          ? !collapseShared(space, area, object, huge)
          : !collapseAnonymous(space, area, huge);
    }
    if (missed) {
      throw Args.invalid("advice: a part of the range was never touched, or has guard pages");
    }
  }

  /** Shared memory that the kernel made; a ring is special all the same. */
  private static @Nullable SharedMemoryProvider sharedMemory(Area area) {
    return area.mappedFile() instanceof OpenFileObject file
        && file.inode().provider() instanceof SharedMemoryProvider memory
            ? memory
            : null;
  }

  /** {@code thp_vma_suitable_order}: a file's huge pages are huge pages of the file, too. */
  private static boolean hasRoomForHugePage(Area area, boolean file) {
    long firstRoom = (area.start() + Placer.PMD_SIZE - 1) & -Placer.PMD_SIZE;
    long offset = (area.start() >>> Mman.PAGE_SHIFT) - area.pageOffset();
    return area.end() - firstRoom >= Placer.PMD_SIZE
        && (!file || (offset << Mman.PAGE_SHIFT & Placer.PMD_SIZE - 1) == 0);
  }

  /** {@code collapse_file}, then {@code collapse_pte_mapped_thp}, which wants nothing but its pages. */
  private static boolean collapseShared(
      AddressSpace space, Area area, SharedMemoryProvider object, long huge) {
    return object.fill(area.pageOffsetOf(huge), Placer.PMD_SIZE >>> Mman.PAGE_SHIFT)
        && !hasGuards(space, huge);
  }

  private static boolean hasGuards(AddressSpace space, long huge) {
    boolean[] guarded = new boolean[1];
    space
        .tables()
        .visit(
            huge,
            huge + Placer.PMD_SIZE,
            (address, entry) -> {
              guarded[0] |= Pte.isGuard(entry);
              return entry;
            });
    return guarded[0];
  }

  /** {@code hpage_collapse_scan_pmd}: one page table, in which nothing but pages and holes may be. */
  private static boolean collapseAnonymous(AddressSpace space, Area area, long huge)
      throws ErrnoException {
    if (!space.tables().hasTable(huge)) {
      return false;
    }
    if (hasGuards(space, huge)) {
      return false;
    }
    if (area.hasAny(VM_WRITE)) {
      space.services().faults().populateArea(space, huge, huge + Placer.PMD_SIZE);
    }
    return true;
  }

  /** RULES 16: {@code madvise_guard_install}. */
  static void installGuards(AddressSpace space, Area area, long start, long end)
      throws ErrnoException {
    if (area.hasAny(VM_SPECIAL | VM_HUGETLB | VM_LOCKED)) {
      throw Args.invalid("advice: no guards in locked or special mappings");
    }
    area.setFlagBits(area.flagBits() | VM_MAYBE_GUARD);
    space.decisions().by(MmRule.GUARDED, start, end);
    if (area.isAnonymous()) {
      space.prepareAnonVma(area);
    }
    PageZapper.zap(space, start, end, false);
    for (long address = start; address < end; address += Mman.PAGE_SIZE) {
      space.tables().set(address, Pte.GUARD);
    }
  }

  /** {@code madvise_guard_remove}. */
  static void removeGuards(AddressSpace space, Area area, long start, long end)
      throws ErrnoException {
    if (area.hasAny(VM_SPECIAL | VM_HUGETLB)) {
      throw Args.invalid("advice: no guards in special mappings");
    }
    space
        .tables()
        .visit(start, end, (address, entry) -> Pte.isGuard(entry) ? Pte.NONE : entry);
  }
}
