// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.mm.Mman.MS_ASYNC;
import static io.faultline.mm.Mman.MS_INVALIDATE;
import static io.faultline.mm.Mman.MS_SYNC;

import io.faultline.core.area.Area;
import io.faultline.device.FileKind;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.List;

/**
 * {@code msync(2)}: {@code SYSCALL_DEFINE3(msync)}, the walk over the areas with the lock held for
 * reading. What is to be written back is collected, and written when the lock has been let go of.
 */
public final class MsyncOperation {
  private MsyncOperation() {}

  /**
   * @param ranges filled, each with a reference on its file; also where an error follows:
   *     Linux has written them when it comes to that
   */
  public static void msync(
      AddressSpace space, long address, long length, int flags, List<FileRange> ranges)
      throws ErrnoException {
    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) {
      throw Args.invalid("flags: 0x" + Integer.toHexString(flags) + " has unknown bits");
    }
    Args.requireAligned("address", address);
    if ((flags & MS_ASYNC) != 0 && (flags & MS_SYNC) != 0) {
      throw Args.invalid("flags: MS_ASYNC and MS_SYNC together");
    }
    long end = address + Args.pageAlign(length);
    if (Args.below(end, address)) {
      throw Args.noMemory("length: the range wraps around");
    }
    if (end == address) {
      return;
    }
    long start = address;
    boolean hole = false;
    Area area = space.areas().find(start);
    while (true) {
      if (area == null) {
        throw Args.hole(start);
      }
      if (Args.below(start, area.start())) {
        if (flags == MS_ASYNC) {
          throw Args.hole(start);
        }
        start = area.start();
        if (!Args.below(start, end)) {
          throw Args.hole(end - 1);
        }
        hole = true;
      }
      if ((flags & MS_INVALIDATE) != 0 && area.hasAny(VM_LOCKED)) {
        throw new ErrnoException(Errno.EBUSY, "flags: MS_INVALIDATE of locked memory");
      }
      if ((flags & MS_SYNC) != 0 && area.hasAny(VM_SHARED) && area.mappedFile() != null) {
        FileRange range = FileRange.toSync(area, start, end);
        if (range != null) {
          ranges.add(range);
        } else if (area.mappedFile().inode().kind() != FileKind.REGULAR) {
          // Regular files have one that does nothing, if no other: not devices, not the kernel's rings.
          throw Args.invalid("flags: MS_SYNC, but the file of " + area + " has no fsync");
        }
      }
      start = area.end();
      if (!Args.below(start, end)) {
        break;
      }
      area = space.areas().find(start);
    }
    if (hole) {
      throw Args.noMemory("address, length: a part of the range is not mapped");
    }
  }
}
