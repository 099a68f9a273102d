// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.mm.AddressSpace;
import io.faultline.device.Inode;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An area as it was when a dump began ({@code struct core_vma_metadata}).
 *
 * @param start first byte
 * @param end first byte behind it
 * @param flagBits {@code vm_flags}
 * @param inMemory {@code p_memsz}: its length, but 0 for a device's area ({@code VM_IO}): a debugger
 *     shows zeros where a core has memory without contents, and there is no memory
 * @param dumped bytes from its start that the core holds: 0, one page, or all
 * @param file what it maps; null for anonymous memory
 * @param pageOffset in pages, into the file
 */
record AreaSnapshot(
    long start,
    long end,
    long flagBits,
    long inMemory,
    long dumped,
    @Nullable Inode file,
    long pageOffset) {
  private static final int PF_X = 1;
  private static final int PF_W = 2;
  private static final int PF_R = 4;

  /**
   * The vsyscall page, which every process has though no area stands for it: listed in full, though
   * it can only be executed and so is never read.
   */
  private static final AreaSnapshot GATE =
      new AreaSnapshot(
          0xffff_ffff_ff60_0000L, 0xffff_ffff_ff60_1000L, VM_EXEC, Mman.PAGE_SIZE, Mman.PAGE_SIZE,
          null, 0);

  /** All areas of one moment, ascending, and the vsyscall page. */
  static List<AreaSnapshot> of(AddressSpace space, int filter) throws ErrnoException {
    space.lockForReading();
    try {
      DumpRules rules = new DumpRules(space, filter);
      List<AreaSnapshot> all = new ArrayList<>(space.areas().size() + 1);
      space.areas().forEach(area -> all.add(of(area, rules.bytesOf(area))));
      all.add(GATE);
      return all;
    } finally {
      space.unlockForReading();
    }
  }

  private static AreaSnapshot of(Area area, long dumped) {
    var file = area.mappedFile();
    boolean device = area.special() == null && area.hasAny(VM_IO);
    return new AreaSnapshot(
        area.start(), area.end(), area.flagBits(), device ? 0 : area.end() - area.start(), dumped,
        file == null ? null : file.inode(), area.pageOffset());
  }

  /** {@code p_flags}. */
  int segmentFlags() {
    return ((flagBits & VM_READ) != 0 ? PF_R : 0)
        | ((flagBits & VM_WRITE) != 0 ? PF_W : 0)
        | ((flagBits & VM_EXEC) != 0 ? PF_X : 0);
  }
}
