// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

/** The constants of {@code <sys/mman.h>} on x86-64, by their own names and values. */
public final class Mman {
  /** Bytes in a page. */
  public static final int PAGE_SIZE = 4096;

  /** log2 of {@link #PAGE_SIZE}. */
  public static final int PAGE_SHIFT = 12;

  public static final int PROT_NONE = 0;
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int PROT_EXEC = 4;
  public static final int PROT_SEM = 8;
  public static final int PROT_GROWSDOWN = 0x0100_0000;
  public static final int PROT_GROWSUP = 0x0200_0000;

  public static final int MAP_SHARED = 0x01;
  public static final int MAP_PRIVATE = 0x02;
  public static final int MAP_SHARED_VALIDATE = 0x03;
  public static final int MAP_DROPPABLE = 0x08;

  /** The bits of the flags word that hold the type: shared, private, … */
  public static final int MAP_TYPE = 0x0f;

  public static final int MAP_FIXED = 0x10;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MAP_32BIT = 0x40;
  public static final int MAP_GROWSDOWN = 0x0100;
  public static final int MAP_DENYWRITE = 0x0800;
  public static final int MAP_EXECUTABLE = 0x1000;
  public static final int MAP_LOCKED = 0x2000;
  public static final int MAP_NORESERVE = 0x4000;
  public static final int MAP_POPULATE = 0x8000;
  public static final int MAP_NONBLOCK = 0x1_0000;
  public static final int MAP_STACK = 0x2_0000;
  public static final int MAP_HUGETLB = 0x4_0000;
  public static final int MAP_SYNC = 0x8_0000;
  public static final int MAP_FIXED_NOREPLACE = 0x10_0000;

  /** Where in the flags word log2 of the huge page's size stands. */
  public static final int MAP_HUGE_SHIFT = 26;

  public static final int MREMAP_MAYMOVE = 1;
  public static final int MREMAP_FIXED = 2;
  public static final int MREMAP_DONTUNMAP = 4;

  public static final int MCL_CURRENT = 1;
  public static final int MCL_FUTURE = 2;
  public static final int MCL_ONFAULT = 4;
  public static final int MLOCK_ONFAULT = 1;

  public static final int MS_ASYNC = 1;
  public static final int MS_INVALIDATE = 2;
  public static final int MS_SYNC = 4;

  public static final int MADV_NORMAL = 0;
  public static final int MADV_RANDOM = 1;
  public static final int MADV_SEQUENTIAL = 2;
  public static final int MADV_WILLNEED = 3;
  public static final int MADV_DONTNEED = 4;
  public static final int MADV_FREE = 8;
  public static final int MADV_REMOVE = 9;
  public static final int MADV_DONTFORK = 10;
  public static final int MADV_DOFORK = 11;
  public static final int MADV_MERGEABLE = 12;
  public static final int MADV_UNMERGEABLE = 13;
  public static final int MADV_HUGEPAGE = 14;
  public static final int MADV_NOHUGEPAGE = 15;
  public static final int MADV_DONTDUMP = 16;
  public static final int MADV_DODUMP = 17;
  public static final int MADV_WIPEONFORK = 18;
  public static final int MADV_KEEPONFORK = 19;
  public static final int MADV_COLD = 20;
  public static final int MADV_PAGEOUT = 21;
  public static final int MADV_POPULATE_READ = 22;
  public static final int MADV_POPULATE_WRITE = 23;
  public static final int MADV_DONTNEED_LOCKED = 24;
  public static final int MADV_COLLAPSE = 25;
  public static final int MADV_HWPOISON = 100;
  public static final int MADV_SOFT_OFFLINE = 101;
  public static final int MADV_GUARD_INSTALL = 102;
  public static final int MADV_GUARD_REMOVE = 103;

  public static final int SHM_RDONLY = 0x1000;
  public static final int SHM_RND = 0x2000;
  public static final int SHM_REMAP = 0x4000;
  public static final int SHM_EXEC = 0x8000;

  public static final int MPOL_DEFAULT = 0;
  public static final int MPOL_PREFERRED = 1;
  public static final int MPOL_BIND = 2;
  public static final int MPOL_INTERLEAVE = 3;
  public static final int MPOL_LOCAL = 4;
  public static final int MPOL_PREFERRED_MANY = 5;
  public static final int MPOL_WEIGHTED_INTERLEAVE = 6;
  public static final int MPOL_F_NUMA_BALANCING = 1 << 13;
  public static final int MPOL_F_RELATIVE_NODES = 1 << 14;
  public static final int MPOL_F_STATIC_NODES = 1 << 15;
  public static final int MPOL_MF_STRICT = 1;
  public static final int MPOL_MF_MOVE = 2;
  public static final int MPOL_MF_MOVE_ALL = 4;

  private Mman() {}
}
