// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a core dump holds: the bits of {@code /proc/PID/coredump_filter} ({@code core(5)}), in Linux's
 * order. An area that is not chosen stands in the core without contents.
 *
 * <p>Whatever is chosen, areas with {@code VM_DONTDUMP}, {@code VM_IO} or {@code VM_RESERVED} have no
 * contents, and the kernel's own mappings (vdso) always have. An area with {@code VM_IO} has a size of
 * 0 in the core's headers besides: where Linux lists it as memory without contents, gdb would show
 * zeros.
 */
public enum CoreFilter {
  /** Private memory with pages of the process's own, of a file too once it was written. */
  ANONYMOUS_PRIVATE,
  /** Shared memory without a name in a file system. */
  ANONYMOUS_SHARED,
  /** Private mappings of files. */
  MAPPED_PRIVATE,
  /** Shared mappings of files. */
  MAPPED_SHARED,
  /** The first page of private mappings of ELF files. */
  ELF_HEADERS,
  /** Private huge pages. */
  HUGETLB_PRIVATE,
  /** Shared huge pages. */
  HUGETLB_SHARED,
  /** Private mappings of persistent memory; there are none here. */
  DAX_PRIVATE,
  /** Shared mappings of persistent memory; there are none here. */
  DAX_SHARED;

  /** The mask of a new process: 0x33. */
  public static final int DEFAULT =
      mask(EnumSet.of(ANONYMOUS_PRIVATE, ANONYMOUS_SHARED, ELF_HEADERS, HUGETLB_PRIVATE));

  /** All bits that there are. */
  public static final int ALL = mask(EnumSet.allOf(CoreFilter.class));

  /** The bit of the mask. */
  public int mask() {
    return 1 << ordinal();
  }

  /** Whether a mask has this bit. */
  public boolean in(int mask) {
    return (mask & mask()) != 0;
  }

  /** The mask of several. */
  public static int mask(Set<CoreFilter> chosen) {
    int mask = 0;
    for (CoreFilter filter : chosen) {
      mask |= filter.mask();
    }
    return mask;
  }
}
