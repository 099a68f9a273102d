// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import io.faultline.mm.Mman;

/** The names of {@code <sys/mman.h>} that commands read. */
public final class MmanNames {
  /** {@code PROT_…}. */
  public static final Names PROT =
      Names.withPrefix("PROT_")
          .name("none", Mman.PROT_NONE)
          .name("read", Mman.PROT_READ)
          .name("write", Mman.PROT_WRITE)
          .name("exec", Mman.PROT_EXEC)
          .name("sem", Mman.PROT_SEM)
          .name("growsdown", Mman.PROT_GROWSDOWN)
          .name("growsup", Mman.PROT_GROWSUP)
          .build();

  /** {@code MAP_…}. */
  public static final Names MAP =
      Names.withPrefix("MAP_")
          .name("shared", Mman.MAP_SHARED)
          .name("private", Mman.MAP_PRIVATE)
          .name("anonymous", Mman.MAP_ANONYMOUS)
          .name("anon", Mman.MAP_ANONYMOUS)
          .name("fixed", Mman.MAP_FIXED)
          .name("fixed_noreplace", Mman.MAP_FIXED_NOREPLACE)
          .name("populate", Mman.MAP_POPULATE)
          .name("nonblock", Mman.MAP_NONBLOCK)
          .name("locked", Mman.MAP_LOCKED)
          .name("noreserve", Mman.MAP_NORESERVE)
          .name("growsdown", Mman.MAP_GROWSDOWN)
          .name("stack", Mman.MAP_STACK)
          .name("32bit", Mman.MAP_32BIT)
          .name("shared_validate", Mman.MAP_SHARED_VALIDATE)
          .name("sync", Mman.MAP_SYNC)
          .name("droppable", Mman.MAP_DROPPABLE)
          .name("hugetlb", Mman.MAP_HUGETLB)
          .name("denywrite", Mman.MAP_DENYWRITE)
          .name("executable", Mman.MAP_EXECUTABLE)
          .build();

  /** {@code MREMAP_…}. */
  public static final Names MREMAP =
      Names.withPrefix("MREMAP_")
          .name("maymove", Mman.MREMAP_MAYMOVE)
          .name("fixed", Mman.MREMAP_FIXED)
          .name("dontunmap", Mman.MREMAP_DONTUNMAP)
          .build();

  /** {@code MADV_…}. */
  public static final Names MADV =
      Names.withPrefix("MADV_")
          .name("normal", Mman.MADV_NORMAL)
          .name("random", Mman.MADV_RANDOM)
          .name("sequential", Mman.MADV_SEQUENTIAL)
          .name("willneed", Mman.MADV_WILLNEED)
          .name("dontneed", Mman.MADV_DONTNEED)
          .name("free", Mman.MADV_FREE)
          .name("remove", Mman.MADV_REMOVE)
          .name("dontfork", Mman.MADV_DONTFORK)
          .name("dofork", Mman.MADV_DOFORK)
          .name("mergeable", Mman.MADV_MERGEABLE)
          .name("unmergeable", Mman.MADV_UNMERGEABLE)
          .name("hugepage", Mman.MADV_HUGEPAGE)
          .name("nohugepage", Mman.MADV_NOHUGEPAGE)
          .name("dontdump", Mman.MADV_DONTDUMP)
          .name("dodump", Mman.MADV_DODUMP)
          .name("wipeonfork", Mman.MADV_WIPEONFORK)
          .name("keeponfork", Mman.MADV_KEEPONFORK)
          .name("cold", Mman.MADV_COLD)
          .name("pageout", Mman.MADV_PAGEOUT)
          .name("populate_read", Mman.MADV_POPULATE_READ)
          .name("populate_write", Mman.MADV_POPULATE_WRITE)
          .name("dontneed_locked", Mman.MADV_DONTNEED_LOCKED)
          .name("collapse", Mman.MADV_COLLAPSE)
          .name("guard_install", Mman.MADV_GUARD_INSTALL)
          .name("guard_remove", Mman.MADV_GUARD_REMOVE)
          .build();

  private MmanNames() {}
}
