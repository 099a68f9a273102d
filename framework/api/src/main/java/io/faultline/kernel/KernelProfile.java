// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import java.util.Objects;

/**
 * The facts by which one Linux machine differs from another and that change what memory calls do.
 * Immutable; {@link #LINUX_6_18} is the default, {@code with…} makes variants.
 *
 * @param name for display, {@code "linux-6.18"}
 * @param taskSize first byte behind user space ({@code TASK_SIZE})
 * @param mmapMinAddress lowest address that may be mapped without CAP_SYS_RAWIO ({@code
 *     vm.mmap_min_addr})
 * @param lowestPlacement lowest address that the kernel chooses by itself (the security module's
 *     minimum)
 * @param stackGuardGapPages pages kept free below a growing stack
 * @param maxMapCount areas allowed in one space ({@code vm.max_map_count})
 * @param totalMemoryBytes MemTotal
 * @param totalSwapBytes SwapTotal
 * @param overcommit {@code vm.overcommit_memory}
 * @param overcommitRatio percent of memory that mode {@link Overcommit#NEVER} grants
 * @param transparentHugePages {@code /sys/kernel/mm/transparent_hugepage/enabled}
 * @param protectionKeys whether the processor has protection keys
 * @param freeHugePages free pages of 2 MiB for MAP_HUGETLB
 */
public record KernelProfile(
    String name,
    long taskSize,
    long mmapMinAddress,
    long lowestPlacement,
    int stackGuardGapPages,
    int maxMapCount,
    long totalMemoryBytes,
    long totalSwapBytes,
    Overcommit overcommit,
    int overcommitRatio,
    TransparentHugePages transparentHugePages,
    boolean protectionKeys,
    long freeHugePages) {

  /** {@code vm.overcommit_memory}. */
  public enum Overcommit {
    /** 0: refuses only single requests that are larger than all memory. */
    HEURISTIC,
    /** 1: never refuses. */
    ALWAYS,
    /** 2: keeps account of every private writable page. */
    NEVER
  }

  /** The setting of transparent huge pages. */
  public enum TransparentHugePages {
    ALWAYS,
    MADVISE,
    NEVER
  }

  /** Linux 6.18, x86-64, four-level page tables, Debian's settings, 4 GiB of memory. */
  public static final KernelProfile LINUX_6_18 =
      new KernelProfile(
          "linux-6.18",
          0x7fff_ffff_f000L,
          4096,
          65536,
          256,
          65530,
          4L << 30,
          0,
          Overcommit.HEURISTIC,
          50,
          TransparentHugePages.MADVISE,
          true,
          0);

  /**
   * @throws IllegalArgumentException when a number cannot be
   */
  public KernelProfile {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(overcommit, "overcommit");
    Objects.requireNonNull(transparentHugePages, "transparentHugePages");
    if (taskSize <= 0 || (taskSize & 0xfff) != 0) {
      throw new IllegalArgumentException("taskSize: must be a positive multiple of 4096");
    }
    if (stackGuardGapPages < 0) {
      throw new IllegalArgumentException("stackGuardGapPages: must not be negative");
    }
    if (maxMapCount < 1) {
      throw new IllegalArgumentException("maxMapCount: must be positive");
    }
  }

  /** This profile with another limit on the number of areas. */
  public KernelProfile withMaxMapCount(int count) {
    return new KernelProfile(
        name, taskSize, mmapMinAddress, lowestPlacement, stackGuardGapPages, count,
        totalMemoryBytes, totalSwapBytes, overcommit, overcommitRatio, transparentHugePages,
        protectionKeys, freeHugePages);
  }

  /** This profile with other sizes of memory and swap, in bytes. */
  public KernelProfile withMemory(long memoryBytes, long swapBytes) {
    return new KernelProfile(
        name, taskSize, mmapMinAddress, lowestPlacement, stackGuardGapPages, maxMapCount,
        memoryBytes, swapBytes, overcommit, overcommitRatio, transparentHugePages, protectionKeys,
        freeHugePages);
  }
}
