// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.core.area.VmBits.VM_HUGEPAGE;
import static io.faultline.core.area.VmBits.VM_NOHUGEPAGE;

import io.faultline.core.area.Area;
import io.faultline.core.mm.AddressSpace;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;

/**
 * {@code /proc/PID/smaps} ({@code show_smap}) and {@code smaps_rollup}. Stateless. What an area's
 * lines say is of one moment of that area's pages, as in Linux; other areas' may be of another.
 */
public final class SmapsText {
  private static final int AREA_CHARS = 800;
  private static final long PMD_SIZE = 2L << 20;

  private SmapsText() {}

  /** All areas, with the vsyscall page. */
  public static String smaps(AddressSpace space, ReclaimView reclaim) {
    TextBuilder text = new TextBuilder((space.areas().size() + 1) * AREA_CHARS);
    boolean keys = space.profile().protectionKeys();
    MapsText.locked(
        space,
        () -> space
            .areas()
            .forEach(
                area -> {
                  MapsText.appendLine(text.builder(), space, area);
                  sizes(text, area.end() - area.start());
                  usage(text, UsageWalk.of(space, area, reclaim), false);
                  tail(text, takesHugePages(space, area), keys, area.flags().protectionKey());
                  flags(text, area);
                }));
    text.add(MapsText.VSYSCALL);
    sizes(text, Mman.PAGE_SIZE);
    usage(text, new MemoryUsage(), false);
    tail(text, false, keys, 0);
    return text.add("VmFlags: ex \n").toString();
  }

  /** The sums over all areas ({@code show_smaps_rollup}). */
  public static String rollup(AddressSpace space, ReclaimView reclaim) {
    TextBuilder text = new TextBuilder(AREA_CHARS);
    MemoryUsage sum = new MemoryUsage();
    long[] range = {0, 0};
    MapsText.locked(
        space,
        () -> space
            .areas()
            .forEach(
                area -> {
                  range[0] = range[1] == 0 ? area.start() : range[0];
                  range[1] = area.end();
                  sum.add(UsageWalk.of(space, area, reclaim));
                }));
    int start = text.builder().length();
    MapsText.appendHex(text.builder(), range[0], 8);
    text.add("-");
    MapsText.appendHex(text.builder(), range[1], 8);
    text.add(" ---p 00000000 00:00 0 ");
    MapsText.pad(text.builder(), start);
    text.add("[rollup]\n");
    usage(text, sum, true);
    return text.toString();
  }

  private static void sizes(TextBuilder text, long bytes) {
    text.kib("Size:           ", bytes >>> 10)
        .kib("KernelPageSize: ", Mman.PAGE_SIZE >>> 10)
        .kib("MMUPageSize:    ", Mman.PAGE_SIZE >>> 10);
  }

  /** {@code __show_smap}. */
  private static void usage(TextBuilder text, MemoryUsage usage, boolean rollup) {
    text.kib("Rss:            ", usage.resident >>> 10)
        .kib("Pss:            ", share(usage.pss))
        .kib("Pss_Dirty:      ", share(usage.pssDirty));
    if (rollup) {
      text.kib("Pss_Anon:       ", share(usage.pssAnon))
          .kib("Pss_File:       ", share(usage.pssFile))
          .kib("Pss_Shmem:      ", share(usage.pssShmem));
    }
    text.kib("Shared_Clean:   ", usage.sharedClean >>> 10)
        .kib("Shared_Dirty:   ", usage.sharedDirty >>> 10)
        .kib("Private_Clean:  ", usage.privateClean >>> 10)
        .kib("Private_Dirty:  ", usage.privateDirty >>> 10)
        .kib("Referenced:     ", usage.referenced >>> 10)
        .kib("Anonymous:      ", usage.anonymous >>> 10)
        .kib("KSM:            ", 0)
        .kib("LazyFree:       ", usage.lazyFree >>> 10)
        .kib("AnonHugePages:  ", 0)
        .kib("ShmemPmdMapped: ", 0)
        .kib("FilePmdMapped:  ", 0)
        .kib("Shared_Hugetlb: ", 0)
        .add("Private_Hugetlb: ").number(0, 7).add(" kB\n")
        .kib("Swap:           ", usage.swap >>> 10)
        .kib("SwapPss:        ", share(usage.swapPss))
        .kib("Locked:         ", share(usage.pssLocked));
  }

  private static long share(long fixedPoint) {
    return fixedPoint >>> MemoryUsage.PSS_SHIFT >>> 10;
  }

  private static void tail(TextBuilder text, boolean huge, boolean keys, int key) {
    text.add("THPeligible:    ").number(huge ? 1 : 0, 8).add("\n");
    if (keys) {
      text.add("ProtectionKey:  ").number(key, 8).add("\n");
    }
  }

  private static void flags(TextBuilder text, Area area) {
    text.add("VmFlags: ");
    for (VmFlag flag : VmFlag.values()) {
      if (area.hasAny(flag.mask())) {
        text.add(flag.mnemonic()).add(" ");
      }
    }
    text.add("\n");
  }

  /** Whether a huge page would fit and be allowed ({@code thp_vma_allowable_orders}). */
  private static boolean takesHugePages(AddressSpace space, Area area) {
    boolean allowed =
        switch (space.profile().transparentHugePages()) {
          case ALWAYS -> true;
          case MADVISE -> area.hasAny(VM_HUGEPAGE);
          case NEVER -> false;
        };
    long last = area.end() - PMD_SIZE & -PMD_SIZE;
    return allowed && area.isAnonymous() && area.special() == null
        && !area.hasAny(VM_NOHUGEPAGE) && Long.compareUnsigned(last, area.start()) >= 0
        && area.end() - area.start() >= PMD_SIZE;
  }
}
