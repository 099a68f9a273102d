// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_SEALED;
import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.device.OpenFileObject;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;

/**
 * The areas of one range on their way out, {@code struct vma_munmap_struct}: first {@link #gather}
 * (may fail: areas stay, but splits that were made stay too), then {@link #remove} (cannot fail).
 *
 * <pre>
 *            start                  end
 *              v                     v
 *   |----a----------|   |--b--|  |------c------|
 *   |-a-|====a2=====|   |==b==|  |=c==|---c2---|      gather: splits at both ends
 *   |-a-|                             |---c2---|      remove
 * </pre>
 */
final class UnmapBatch {
  private final AddressSpace space;
  private final long start;
  private final long end;
  private final List<Area> gathered = new ArrayList<>(2);
  private long pages;
  private long accountedPages;
  private long lockedPages;

  UnmapBatch(AddressSpace space, long start, long end) {
    this.space = space;
    this.start = start;
    this.end = end;
  }

  /** Splits the areas at both ends and notes all in between ({@code vms_gather_munmap_vmas}). */
  void gather() throws ErrnoException {
    Area first = space.areas().findIntersection(start, end);
    if (first == null) {
      return;
    }
    if (start > first.start()) {
      // One that is cut out of the middle makes one more, for good; other splits are passing.
      if (end < first.end() && space.areas().size() >= space.profile().maxMapCount()) {
        throw space.tooManyAreas();
      }
      checkNotSealed(first);
      space.splitAnyway(first, start, true, MmRule.SPLIT_FOR_UNMAP);
    }
    for (Area area = first; area != null && area.start() < end; area = space.areas().next(area)) {
      checkNotSealed(area);
      if (area.end() > end) {
        space.splitAnyway(area, end, false, MmRule.SPLIT_FOR_UNMAP);
      }
      gathered.add(area);
      pages += area.pages();
      if (area.hasAny(VM_ACCOUNT)) {
        accountedPages += area.pages();
      }
      if (area.hasAny(VM_LOCKED)) {
        lockedPages += area.pages();
      }
    }
  }

  private void checkNotSealed(Area area) throws ErrnoException {
    if (area.hasAny(VM_SEALED)) {
      throw space
          .decisions()
          .refused(
              MmRule.SEALED,
              new ErrnoException(
                  Errno.EPERM, "address: the area at 0x%x is sealed".formatted(area.start())));
    }
  }

  boolean isEmpty() {
    return gathered.isEmpty();
  }

  /** Pages of all gathered areas. */
  long pages() {
    return pages;
  }

  /** Pages that count for overcommit; the caller may take them over for what comes in their place. */
  long takeAccountedPages() {
    long taken = accountedPages;
    accountedPages = 0;
    return taken;
  }

  /** Takes them out of the tree, zaps their pages, closes them in ascending order. */
  void remove() {
    if (gathered.isEmpty()) {
      return;
    }
    for (Area area : gathered) {
      space.areas().remove(area);
      space.decisions().by(MmRule.REMOVED, area.start(), area.end());
    }
    PageZapper.zap(space, start, end, false);
    Area below = space.areas().findPrevious(start);
    Area above = space.areas().find(end);
    space
        .tables()
        .freeTables(
            start,
            end,
            below == null ? 0 : below.end(),
            above == null ? space.profile().taskSize() : above.start());
    space.account().addLocked(-lockedPages);
    for (Area area : gathered) {
      space.account().add(area.flagBits(), -area.pages());
      close(area);
    }
    space.uncharge(accountedPages);
  }

  /** The end of one area: {@code close}, anon_vma, file ({@code remove_vma}). */
  static void close(Area area) {
    AreaOperations operations = area.operations();
    if (operations != null && operations.hasClose()) {
      operations.close(area);
    }
    area.anonVmas().clear();
    if (area.hasAny(VM_SHARED) && area.mappedFile() instanceof OpenFileObject file) {
      file.unmapped(area.pageOffset(), area.pageOffset() + area.pages());
    }
    AddressSpace.putFile(area);
  }
}
