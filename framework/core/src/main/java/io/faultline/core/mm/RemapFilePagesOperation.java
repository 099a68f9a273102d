// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.core.area.VmBits.VM_LOCKED;
import static io.faultline.core.area.VmBits.VM_SHARED;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_LOCKED;
import static io.faultline.mm.Mman.MAP_NONBLOCK;
import static io.faultline.mm.Mman.MAP_POPULATE;
import static io.faultline.mm.Mman.MAP_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Protection;

/**
 * {@code remap_file_pages(2)}, which Linux emulates by {@code mmap} with MAP_FIXED. The lock is held
 * for writing.
 */
public final class RemapFilePagesOperation {
  private RemapFilePagesOperation() {}

  public static PopulateRange remap(
      AddressSpace space, long address, long bytes, int prot, long pageOffset, int callFlags)
      throws ErrnoException {
    if (prot != 0) {
      throw Args.invalid("prot: must be 0");
    }
    long start = Args.pageStart(address);
    long size = Args.pageStart(bytes);
    if (!Args.above(start + size, start)) {
      throw Args.invalid("size: is 0, or the range wraps around");
    }
    if (Args.below(pageOffset + (size >>> Mman.PAGE_SHIFT), pageOffset)) {
      throw Args.invalid("pageOffset: overflows");
    }
    Area area = space.areas().findAt(start);
    if (area == null
        || !area.hasAny(VM_SHARED)
        || !(area.mappedFile() instanceof OpenFileObject file)) {
      throw Args.invalid("address: no shared mapping is there");
    }
    requireAlike(space, area, Args.clampEnd(start + size));
    int flags =
        callFlags & MAP_NONBLOCK
            | MAP_SHARED
            | MAP_FIXED
            | MAP_POPULATE
            | (area.hasAny(VM_LOCKED) ? MAP_LOCKED : 0);
    // The mapping that is replaced may hold the last reference on the file.
    file.retain();
    try {
      return MmapOperation.mmap(
          space,
          new MmapCall(
              start, size, Protection.ofFlags(area.flags()).prot(), flags, file, pageOffset,
              0))
          .populate();
    } finally {
      file.release();
    }
  }

  /** The whole range must be areas of the same file with the same flags, without holes. */
  private static void requireAlike(AddressSpace space, Area first, long end)
      throws ErrnoException {
    Area below = first;
    while (below.end() < end) {
      Area next = space.areas().next(below);
      if (next == null
          || next.start() != below.end()
          || next.mappedFile() != first.mappedFile()
          || next.flagBits() != first.flagBits()) {
        throw Args.invalid("size: reaches beyond the mapping");
      }
      below = next;
    }
  }
}
