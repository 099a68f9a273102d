// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.area;

import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;

/** The bits of {@code vm_flags} as plain words, for the engine; {@link VmFlag} documents them. */
public final class VmBits {
  public static final long VM_READ = 0x1L;
  public static final long VM_WRITE = 0x2L;
  public static final long VM_EXEC = 0x4L;
  public static final long VM_SHARED = 0x8L;
  public static final long VM_MAYREAD = 0x10L;
  public static final long VM_MAYWRITE = 0x20L;
  public static final long VM_MAYEXEC = 0x40L;
  public static final long VM_MAYSHARE = 0x80L;
  public static final long VM_GROWSDOWN = 0x100L;
  public static final long VM_PFNMAP = 0x400L;
  public static final long VM_MAYBE_GUARD = 0x800L;
  public static final long VM_LOCKED = 0x2000L;
  public static final long VM_IO = 0x4000L;
  public static final long VM_SEQ_READ = 0x8000L;
  public static final long VM_RAND_READ = 0x1_0000L;
  public static final long VM_DONTCOPY = 0x2_0000L;
  public static final long VM_DONTEXPAND = 0x4_0000L;
  public static final long VM_LOCKONFAULT = 0x8_0000L;
  public static final long VM_ACCOUNT = 0x10_0000L;
  public static final long VM_NORESERVE = 0x20_0000L;
  public static final long VM_HUGETLB = 0x40_0000L;
  public static final long VM_SYNC = 0x80_0000L;
  public static final long VM_WIPEONFORK = 0x200_0000L;
  public static final long VM_DONTDUMP = 0x400_0000L;
  public static final long VM_MIXEDMAP = 0x1000_0000L;
  public static final long VM_HUGEPAGE = 0x2000_0000L;
  public static final long VM_NOHUGEPAGE = 0x4000_0000L;
  public static final long VM_MERGEABLE = 0x8000_0000L;
  public static final long VM_PKEY = VmFlags.PKEY_MASK;
  public static final long VM_DROPPABLE = 1L << 40;
  public static final long VM_SEALED = 1L << 42;
  public static final long VM_RESERVED = 1L << 48;

  /** The rights. */
  public static final long VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC;

  public static final long VM_MAY_ACCESS = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

  public static final long VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

  /**
   * Areas that are never merged, locked or given guards ({@code VM_SPECIAL}). The book's
   * VM_RESERVED, which Linux replaced by IO, DONTEXPAND and DONTDUMP, counts with them.
   */
  public static final long VM_SPECIAL =
      VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP | VM_RESERVED;

  /** Flags that do not hinder a merge and that the result inherits ({@code VM_STICKY}). */
  public static final long VM_STICKY = VM_MAYBE_GUARD;

  /** Areas whose page tables fork copies even where no page is anonymous. */
  public static final long VM_COPY_ON_FORK = VM_PFNMAP | VM_MIXEDMAP | VM_MAYBE_GUARD;

  /** What a data segment may do ({@code VM_DATA_DEFAULT_FLAGS}). */
  public static final long VM_DATA_DEFAULT = VM_READ | VM_WRITE | VM_MAY_ACCESS;

  private VmBits() {}
}
