// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_ACCOUNT;
import static io.faultline.core.area.VmBits.VM_DROPPABLE;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_LOCKED_MASK;
import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_NORESERVE;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.core.area.VmBits.VM_SPECIAL;
import static io.faultline.core.area.VmBits.VM_WRITE;
import static io.faultline.mm.Mman.PAGE_SHIFT;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MergeRequest;
import io.faultline.core.device.MmapRequestObject;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.Inode;
import io.faultline.kernel.KernelObjects;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * Puts an area into a range that has been chosen ({@code mmap_region}): gather what is in the way,
 * check the limits, remove it, join a neighbour or let the driver complete a new area.
 *
 * <p>RULES 1: what was in the way is gone once the driver is asked; if the driver refuses, a hole is
 * left. Whatever fails before that changes nothing but the splits that gathering made (RULES 2).
 */
final class MapRegion {
  private final AddressSpace space;
  private final @Nullable OpenFileObject file;
  private final long start;
  private final long end;
  private final long pageOffset;
  private final long pages;
  private long flags;
  private long charged;

  MapRegion(
      AddressSpace space,
      @Nullable OpenFileObject file,
      long start,
      long length,
      long flags,
      long pageOffset) {
    this.space = space;
    this.file = file;
    this.start = start;
    this.end = start + length;
    this.pages = length >>> PAGE_SHIFT;
    this.flags = flags;
    this.pageOffset = pageOffset;
  }

  Area map() throws ErrnoException {
    try {
      return mapChecked();
    } catch (ErrnoException refused) {
      throw space.decisions().refused(MmRule.NEW_AREA_CHECKS, refused);
    }
  }

  private Area mapChecked() throws ErrnoException {
    checkWritableMapping();
    UnmapBatch old = new UnmapBatch(space, start, end);
    old.gather();
    if (!space.mayExpand(flags, pages - old.pages())) {
      throw Args.noMemory("length: more than RLIMIT_AS or RLIMIT_DATA allows");
    }
    if (accountable()) {
      long credit = old.takeAccountedPages();
      long more = pages - credit;
      if (more != 0) {
        space.charge(more);
      }
      charged = pages;
      flags |= VM_ACCOUNT;
    }
    old.remove();
    Area area;
    try {
      area = place();
    } catch (ErrnoException refused) {
      if (!old.isEmpty()) {
        space.decisions().by(MmRule.HOLE_LEFT, start, end);
      }
      space.uncharge(charged);
      throw refused;
    }
    complete(area);
    return area;
  }

  /** {@code mapping_map_writable}: a sealed file takes no shared mapping that may be written. */
  private void checkWritableMapping() throws ErrnoException {
    OpenFileObject mapped = file;
    if (mapped != null
        && (flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE)
        && (mapped.inode().seals() & Inode.F_SEAL_WRITE) != 0) {
      throw new ErrnoException(Errno.EPERM, "fd: the file is sealed against writing");
    }
  }

  /** Whether overcommit counts it ({@code accountable_mapping}). */
  private boolean accountable() {
    return (flags & VM_HUGETLB) == 0 && (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
  }

  private boolean noReserve() {
    return (flags & VM_NORESERVE) != 0;
  }

  private Area place() throws ErrnoException {
    Area merged =
        space
            .merger()
            .mergeNew(
                MergeRequest.ofNew(space.areas(), start, end, pageOffset, flags, file));
    if (merged != null) {
      return merged;
    }
    Area area = new Area(space.pid(), start, end, pageOffset, flags, null);
    if (file != null) {
      fillFromDriver(area, file);
    } else if ((flags & VM_SHARED) != 0) {
      SharedMemoryObject object =
          space
              .services()
              .sharedMemory()
              .create(
                  space, end - start, noReserve(), KernelObjects.Kind.SHARED_MEMORY);
      object.attach(area);
    }
    if (!area.attached()) {
      space.areas().insert(area);
    }
    space.decisions().by(MmRule.NEW_AREA, area.start(), area.end());
    return area;
  }

  /** {@code __mmap_new_file_vma}: the driver's part. */
  private void fillFromDriver(Area area, OpenFileObject mapped) throws ErrnoException {
    mapped.get();
    MmapRequestObject request =
        new MmapRequestObject(
            space.pid(), start, end, pageOffset, flags, space.memory(),
            bytes -> space.services().sharedMemory().checkRoom(space, bytes, noReserve()));
    try {
      mapped.mmap(request);
    } catch (ErrnoException refused) {
      closeUnmade(area, mapped, request);
      mapped.put();
      throw space.decisions().refused(MmRule.DRIVER_MMAP, refused);
    }
    area.setFile(mapped);
    area.setPageOffset(request.pageOffset());
    area.setFlagBits(request.flagBits());
    area.setPrivateData(request.privateData());
    flags = request.flagBits();
    if (request.sharedMemory()) {
      SharedMemoryObject object;
      try {
        object =
            space
                .services()
                .sharedMemory()
                .create(
                    space, end - start, noReserve(), KernelObjects.Kind.SHARED_MEMORY);
      } catch (ErrnoException refused) {
        request.discard();
        mapped.put();
        throw refused;
      }
      mapped.put();
      object.attach(area);
    } else if (request.anonymous()) {
      area.setOperations(null);
    } else {
      area.setOperations(request.operations());
    }
    space.areas().insert(area);
    FrameInstaller.install(space, area, request.installs());
  }

  /**
   * The driver had completed the area, but too late: it hears that it is gone. (Linux has no limits. Where
   * it failed after {@code mmap}, as kernels before 6.12 could, it called {@code close} too.)
   */
  private static void closeUnmade(
      Area area, OpenFileObject mapped, MmapRequestObject request) {
    AreaOperations due = request.closeDue();
    if (due == null || !due.hasClose()) {
      return;
    }
    area.setFile(mapped);
    area.setPageOffset(request.pageOffset());
    area.setFlagBits(request.flagBits());
    area.setPrivateData(request.privateData());
    area.setOperations(due);
    due.close(area);
  }

  /** {@code __mmap_complete}. */
  private void complete(Area area) {
    space.account().add(flags, pages);
    if ((flags & VM_LOCKED) != 0) {
      if ((flags & (VM_SPECIAL | VM_HUGETLB | VM_DROPPABLE)) != 0) {
        area.setFlagBits(area.flagBits() & ~VM_LOCKED_MASK);
      } else {
        space.account().addLocked(pages);
      }
    }
  }
}
