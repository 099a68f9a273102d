// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.paging.Pte;
import io.faultline.core.process.TaskTable;
import io.faultline.kernel.Task;
import io.faultline.mm.Mman;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Proves that what smaps says is what the page tables hold: walks them once more, by itself. */
public final class UsageAudit {
  private static final long PAGE_SHARE = (long) Mman.PAGE_SIZE << 12;
  private static final String KIB = " kB";

  private UsageAudit() {}

  /** The sums over areas against the page tables of each process, and over processes against frames. */
  public static void check(Kernel kernel) {
    List<AddressSpace> spaces = ((TaskTable) kernel.tasks()).spaces();
    ReclaimView reclaim = new NoReclaim(1024);
    long shares = 0;
    for (AddressSpace space : spaces) {
      MemoryUsage sum = new MemoryUsage();
      space.areas().forEach(area -> sum.add(UsageWalk.of(space, area, reclaim)));
      check(space, sum);
      shares += sum.pss;
    }
    if (!spaces.isEmpty()) {
      assertThat(shares).as("Pss of all processes").isEqualTo(sharesOfFrames(spaces.getFirst()));
    }
  }

  private static void check(AddressSpace space, MemoryUsage sum) {
    long[] pages = new long[3];
    space
        .tables()
        .visit(
            0,
            space.profile().taskSize(),
            (address, entry) -> {
              if (Pte.hasFrame(entry) && !Pte.isSpecial(entry)) {
                pages[0]++;
                pages[1] += Pte.isAnonymous(entry) ? 1 : 0;
                pages[2] += Pte.isAccessed(entry) ? 1 : 0;
              }
              return entry;
            });
    assertThat(sum.resident).as("Rss").isEqualTo(pages[0] * Mman.PAGE_SIZE)
        .isEqualTo(space.tables().residentPages() * Mman.PAGE_SIZE);
    assertThat(sum.anonymous).as("Anonymous").isEqualTo(pages[1] * Mman.PAGE_SIZE);
    assertThat(sum.referenced).as("Referenced").isBetween(
        pages[2] * Mman.PAGE_SIZE, sum.resident);
    assertThat(sum.sharedClean + sum.sharedDirty + sum.privateClean + sum.privateDirty)
        .as("shared and private, clean and dirty").isEqualTo(sum.resident);
    assertThat(sum.pssAnon + sum.pssFile + sum.pssShmem).as("Pss by kind").isEqualTo(sum.pss);
    assertThat(sum.pssDirty).as("Pss_Dirty").isLessThanOrEqualTo(sum.pss);
    assertThat(space.tables().highWater()).as("VmHWM").isGreaterThanOrEqualTo(pages[0]);
    assertThat(space.account().peak()).as("VmPeak")
        .isGreaterThanOrEqualTo(space.account().total());
  }

  /** Every frame that is mapped, as often as it is mapped: what all Pss together must be. */
  private static long sharesOfFrames(AddressSpace any) {
    PhysicalMemory memory = any.memory();
    long[] sum = {0};
    memory.forEach(
        (frame, use) -> {
          int count = memory.table().mapCount(frame);
          sum[0] += count == 0 ? 0 : count * (PAGE_SHARE / count);
        });
    return sum[0];
  }

  /** The texts: rollup is the sum of smaps, statm and status say the same. */
  public static void checkTexts(Kernel kernel, Task task) {
    Map<String, Long> areas = sums(kernel.proc().smaps(task));
    Map<String, Long> rollup = sums(kernel.proc().smapsRollup(task));
    Map<String, Long> status = sums(kernel.proc().status(task));
    for (String line : List.of("Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean",
        "Private_Dirty", "Referenced", "Anonymous", "Swap")) {
      assertThat(rollup.get(line)).as(line + " of rollup").isEqualTo(areas.get(line));
    }
    for (String line : List.of("Pss", "Pss_Dirty", "SwapPss", "Locked")) {
      // Each area's share is rounded down to a KiB.
      assertThat(rollup.get(line)).as(line + " of rollup").isGreaterThanOrEqualTo(areas.get(line));
    }
    String[] statm = kernel.proc().statm(task).strip().split(" ");
    assertThat(status.get("VmRSS")).isEqualTo(rollup.get("Rss"))
        .isEqualTo(Long.parseLong(statm[1]) * 4);
    assertThat(status.get("RssAnon")).isEqualTo(rollup.get("Anonymous"));
    assertThat(status.get("VmSize")).isEqualTo(Long.parseLong(statm[0]) * 4);
  }

  private static Map<String, Long> sums(String text) {
    Map<String, Long> sums = new HashMap<>();
    for (String line : text.split("\n")) {
      if (line.endsWith(KIB)) {
        int colon = line.indexOf(':');
        String number = line.substring(colon + 1, line.length() - KIB.length()).strip();
        sums.merge(line.substring(0, colon), Long.parseLong(number), Long::sum);
      }
    }
    return sums;
  }
}
