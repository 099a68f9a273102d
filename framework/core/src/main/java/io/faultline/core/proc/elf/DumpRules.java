// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import static io.faultline.core.area.VmBits.VM_DONTDUMP;
import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_HUGETLB;
import static io.faultline.core.area.VmBits.VM_IO;
import static io.faultline.core.area.VmBits.VM_READ;
import static io.faultline.core.area.VmBits.VM_RESERVED;
import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.MappedFile;
import io.faultline.core.mm.AddressSpace;
import io.faultline.device.Inode;
import io.faultline.kernel.CoreFilter;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How much of an area a core holds: {@code vma_dump_size}. The space's lock is held for reading.
 *
 * <p>Two facts that Linux takes from an inode are not in ours: that a file has no name any more
 * ({@code i_nlink == 0}) shows in its path, which then ends in {@code " (deleted)"}; and for the right
 * to execute it stands that this process maps some of it for execution, or that its first page is
 * that of an ELF file.
 */
final class DumpRules {
  private static final String DELETED = " (deleted)";
  private static final int ELF_MAGIC = 0x464c_457f;
  private static final ValueLayout.OfInt LITTLE_ENDIAN =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final AddressSpace space;
  private final int filter;
  /** Found out when it is first asked for. */
  private @Nullable Set<Inode> executed;

  DumpRules(AddressSpace space, int filter) {
    this.space = space;
    this.filter = filter;
  }

  /** 0, the size of a page, or the area's length. */
  long bytesOf(Area area) {
    // What the kernel itself mapped there is found nowhere else.
    if (area.special() != null) {
      return whole(area);
    }
    if (area.hasAny(VM_IO | VM_RESERVED)) {
      return 0;
    }
    if (isNamed(area)) {
      return whole(area);
    }
    if (area.hasAny(VM_DONTDUMP)) {
      return 0;
    }
    if (area.hasAny(VM_HUGETLB)) {
      return wholeIf(
          area.hasAny(VM_SHARED) ? CoreFilter.HUGETLB_SHARED : CoreFilter.HUGETLB_PRIVATE, area);
    }
    MappedFile file = area.mappedFile();
    if (area.hasAny(VM_SHARED)) {
      boolean nameless = file == null || file.inode().path().endsWith(DELETED);
      return wholeIf(
          nameless ? CoreFilter.ANONYMOUS_SHARED : CoreFilter.MAPPED_SHARED, area);
    }
    if (area.anonVmas().own() != null && CoreFilter.ANONYMOUS_PRIVATE.in(filter)) {
      return whole(area);
    }
    if (file == null) {
      return 0;
    }
    if (CoreFilter.MAPPED_PRIVATE.in(filter)) {
      return whole(area);
    }
    boolean header =
        CoreFilter.ELF_HEADERS.in(filter)
            && area.pageOffset() == 0
            && area.hasAny(VM_READ)
            && (isExecuted(file.inode()) || beginsAsElf(area));
    return header ? Mman.PAGE_SIZE : 0;
  }

  private static long whole(Area area) {
    return area.end() - area.start();
  }

  private long wholeIf(CoreFilter chosen, Area area) {
    return chosen.in(filter) ? whole(area) : 0;
  }

  /** An area that its operations name is taken for one that is found nowhere else. */
  private static boolean isNamed(Area area) {
    AreaOperations operations = area.operations();
    return operations != null && operations.name(area) != null;
  }

  private boolean isExecuted(Inode inode) {
    Set<Inode> known = executed;
    if (known == null) {
      Set<Inode> found = Collections.newSetFromMap(new IdentityHashMap<>());
      space.areas().forEach(
          area -> {
            MappedFile file = area.mappedFile();
            if (file != null && area.hasAny(VM_EXEC)) {
              found.add(file.inode());
            }
          });
      executed = found;
      known = found;
    }
    return known.contains(inode);
  }

  private boolean beginsAsElf(Area area) {
    MemorySegment page = MemorySegment.ofArray(new byte[(int) Mman.PAGE_SIZE]);
    return DumpPages.copy(space, area, area.start(), page)
        && page.get(LITTLE_ENDIAN, 0) == ELF_MAGIC;
  }
}
