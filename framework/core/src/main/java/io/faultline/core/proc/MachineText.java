// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import io.faultline.core.fault.FaultStatistics;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.CommitAccount;
import io.faultline.device.IoRegion;
import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.SwapInfo;
import io.faultline.mm.Mman;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The files of {@code /proc} about the whole machine: {@code iomem}, {@code meminfo}, {@code vmstat}, {@code
 * zoneinfo}, {@code swaps}. Thread-safe.
 */
public final class MachineText {
  private static final int PAGE_KIB_SHIFT = Mman.PAGE_SHIFT - 10;
  private static final int SWAP_NAME_COLUMN = 40;
  private static final long WIDE_KIB = 10_000_000;
  /** 32 TiB less a byte: a constant of x86-64. */
  private static final long VMALLOC_KIB = 34_359_738_367L;

  private final PhysicalMemory memory;
  private final Supplier<List<IoRegion>> registers;
  private final Supplier<List<AddressSpace>> spaces;
  private final FaultStatistics faults;
  private final CommitAccount commit;
  private final KernelProfile profile;
  private final ReclaimView reclaim;

  /**
   * @param registers the regions behind memory, in ascending order
   * @param spaces of all processes
   * @param faults counts of all processes
   * @param commit what was promised to all processes
   * @param profile for the limit of that
   */
  public MachineText(
      PhysicalMemory memory,
      Supplier<List<IoRegion>> registers,
      Supplier<List<AddressSpace>> spaces,
      FaultStatistics faults,
      CommitAccount commit,
      KernelProfile profile,
      ReclaimView reclaim) {
    this.memory = memory;
    this.registers = registers;
    this.spaces = spaces;
    this.faults = faults;
    this.commit = commit;
    this.profile = profile;
    this.reclaim = reclaim;
  }

  private MemoryTotals totals() {
    return MemorySurvey.take(memory, spaces.get());
  }

  /** {@code /proc/meminfo} ({@code meminfo_proc_show}). */
  public String meminfo() {
    MemoryTotals now = totals();
    long slots = 0;
    long used = 0;
    for (SwapInfo device : reclaim.devices()) {
      slots += device.slots();
      used += device.used();
    }
    TextBuilder text = new TextBuilder(2048);
    pages(text, "MemTotal:", now.total());
    pages(text, "MemFree:", now.free());
    pages(text, "MemAvailable:", available(now));
    pages(text, "Buffers:", 0);
    pages(text, "Cached:", now.file() + now.shmem());
    pages(text, "SwapCached:", now.swapCached());
    pages(text, "Active:", now.activeAnonymous() + now.activeFile());
    pages(text, "Inactive:", now.inactiveAnonymous() + now.inactiveFile());
    pages(text, "Active(anon):", now.activeAnonymous());
    pages(text, "Inactive(anon):", now.inactiveAnonymous());
    pages(text, "Active(file):", now.activeFile());
    pages(text, "Inactive(file):", now.inactiveFile());
    pages(text, "Unevictable:", now.locked());
    pages(text, "Mlocked:", now.locked());
    pages(text, "SwapTotal:", slots);
    pages(text, "SwapFree:", slots - used);
    pages(text, "Zswap:", 0);
    pages(text, "Zswapped:", 0);
    pages(text, "Dirty:", now.dirty());
    pages(text, "Writeback:", now.writeback());
    pages(text, "AnonPages:", now.anonymousMapped());
    pages(text, "Mapped:", now.otherMapped());
    pages(text, "Shmem:", now.shmem());
    for (String none : List.of(
        "KReclaimable:", "Slab:", "SReclaimable:", "SUnreclaim:", "KernelStack:")) {
      pages(text, none, 0);
    }
    pages(text, "PageTables:", now.pageTables());
    for (String none : List.of("SecPageTables:", "NFS_Unstable:", "Bounce:", "WritebackTmp:")) {
      pages(text, none, 0);
    }
    pages(text, "CommitLimit:", CommitAccount.limit(profile));
    pages(text, "Committed_AS:", commit.committed());
    text.padded("VmallocTotal:", 16).number(VMALLOC_KIB, 8).add(" kB\n");
    for (String none : List.of(
        "VmallocUsed:", "VmallocChunk:", "Percpu:", "AnonHugePages:", "ShmemHugePages:",
        "ShmemPmdMapped:", "FileHugePages:", "FilePmdMapped:", "Balloon:")) {
      pages(text, none, 0);
    }
    for (String none : List.of("Total", "Free", "Rsvd", "Surp")) {
      text.padded("HugePages_" + none + ":", 19).number(0, 5).add("\n");
    }
    text.kib("Hugepagesize:   ", 2048);
    pages(text, "Hugetlb:", 0);
    return text.toString();
  }

  private static void pages(TextBuilder text, String label, long pages) {
    text.padded(label, 16).number(pages << PAGE_KIB_SHIFT, 8).add(" kB\n");
  }

  /** What could be had without swapping ({@code si_mem_available}). */
  private long available(MemoryTotals now) {
    long cache = now.activeFile() + now.inactiveFile();
    long keep = Math.min(cache / 2, reclaim.low());
    return Math.max(0, now.free() - reclaim.high() + cache - keep);
  }

  /** {@code /proc/vmstat}. */
  public String vmstat() {
    Map<String, Long> values = values(totals());
    TextBuilder text = new TextBuilder(8192);
    for (List<String> names : List.of(
        VmstatNames.ZONE, VmstatNames.NUMA, VmstatNames.NODE, VmstatNames.DIRTY_LIMITS,
        VmstatNames.EVENTS)) {
      for (String name : names) {
        text.add(name).add(" ").number(values.getOrDefault(name, 0L), 0).add("\n");
      }
    }
    return text.toString();
  }

  /** All that is not always 0, by name. */
  private Map<String, Long> values(MemoryTotals now) {
    Map<String, Long> values = new HashMap<>();
    for (VmEvent event : VmEvent.values()) {
      values.put(event.key(), memory.events().sum(event));
    }
    FaultCounts counts = faults.counts();
    values.put("pgfault", counts.minor() + counts.major() + counts.sigbus());
    values.put("pgmajfault", counts.major());
    values.put("pgalloc_normal", now.allocations());
    values.put("numa_hit", now.allocations());
    values.put("numa_local", now.allocations());
    values.put("pgfree", now.freed());
    values.put("nr_free_pages", now.free());
    for (String kind : List.of("", "zone_")) {
      values.put("nr_" + kind + "inactive_anon", now.inactiveAnonymous());
      values.put("nr_" + kind + "active_anon", now.activeAnonymous());
      values.put("nr_" + kind + "inactive_file", now.inactiveFile());
      values.put("nr_" + kind + "active_file", now.activeFile());
      values.put("nr_" + kind + "unevictable", now.locked());
    }
    values.put("nr_zone_write_pending", now.dirty() + now.writeback());
    values.put("nr_mlock", now.locked());
    values.put("nr_anon_pages", now.anonymousMapped());
    values.put("nr_mapped", now.otherMapped());
    values.put("nr_file_pages", now.filePages());
    values.put("nr_dirty", now.dirty());
    values.put("nr_writeback", now.writeback());
    values.put("nr_shmem", now.shmem());
    values.put("nr_page_table_pages", now.pageTables());
    values.put("nr_swapcached", now.swapCached());
    return values;
  }

  /** {@code /proc/zoneinfo}: one node with one zone and no frames set aside for processors. */
  public String zoneinfo() {
    MemoryTotals now = totals();
    Map<String, Long> values = values(now);
    TextBuilder text = new TextBuilder(4096).add("Node 0, zone   Normal\n  per-node stats\n");
    stats(text, VmstatNames.NODE, values);
    long step = reclaim.high() - reclaim.low();
    text.add("  pages free     ").number(now.free(), 0)
        .add("\n        boost    0\n        min      ").number(reclaim.min(), 0)
        .add("\n        low      ").number(reclaim.low(), 0)
        .add("\n        high     ").number(reclaim.high(), 0)
        .add("\n        promo    ").number(reclaim.high() + step, 0)
        .add("\n        spanned  ").number(memory.frames(), 0)
        .add("\n        present  ").number(memory.frames(), 0)
        .add("\n        managed  ").number(now.total(), 0)
        .add("\n        cma      0\n        protection: (0, 0, 0, 0, 0)\n");
    stats(text, VmstatNames.ZONE, values);
    stats(text, VmstatNames.NUMA, values);
    return text.add("  pagesets\n  node_unreclaimable:  0\n  start_pfn:           0\n").toString();
  }

  private static void stats(TextBuilder text, List<String> names, Map<String, Long> values) {
    for (String name : names) {
      text.add("      ").padded(name, 12).add(" ").number(values.getOrDefault(name, 0L), 0)
          .add("\n");
    }
  }

  /** {@code /proc/iomem} ({@code r_show}); the page that is never handed out is reserved. */
  public String iomem() {
    TextBuilder text = new TextBuilder(256);
    resource(text, 0, Mman.PAGE_SIZE, "Reserved");
    resource(text, Mman.PAGE_SIZE, memory.frames() << Mman.PAGE_SHIFT, "System RAM");
    for (IoRegion region : registers.get()) {
      long start = region.frame() << Mman.PAGE_SHIFT;
      resource(text, start, start + region.length(), region.name());
    }
    return text.toString();
  }

  private static void resource(TextBuilder text, long start, long end, String name) {
    text.add("%08x-%08x : %s\n".formatted(start, end - 1, name));
  }

  /** {@code /proc/swaps} ({@code swap_show}). */
  public String swaps() {
    TextBuilder text =
        new TextBuilder(256).add("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    for (SwapInfo device : reclaim.devices()) {
      String name = escaped(device.name());
      boolean partition = device.type().equals("partition");
      text.add(name)
          .add(" ".repeat(Math.max(1, SWAP_NAME_COLUMN - name.length())))
          .add(partition ? "partition" : "file\t");
      swapped(text, device.slots() << PAGE_KIB_SHIFT);
      swapped(text, device.used() << PAGE_KIB_SHIFT);
      text.add("\t").add(Integer.toString(device.priority())).add("\n");
    }
    return text.toString();
  }

  private static void swapped(TextBuilder text, long kib) {
    text.add("\t").number(kib, 0).add(kib < WIDE_KIB ? "\t" : "");
  }

  private static String escaped(String name) {
    StringBuilder text = new StringBuilder(name.length());
    for (char c : name.toCharArray()) {
      if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
        text.append('\\').append("%03o".formatted((int) c));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
