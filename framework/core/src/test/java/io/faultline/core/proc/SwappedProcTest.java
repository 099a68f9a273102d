// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static io.faultline.mm.Mman.MADV_PAGEOUT;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.core.swap.HeapSwapDevice;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@code /proc} shows of eight pages that were paged out. */
class SwappedProcTest {
  private static final int PAGES = 8;

  private final Kernel kernel =
      new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private Task task;

  @BeforeEach
  void boot() throws Exception {
    kernel.swaps().swapon(new HeapSwapDevice("/dev/heap0", 1024), 5);
    task = kernel.tasks().spawn("demo");
  }

  @AfterEach
  void close() {
    kernel.validate();
    kernel.close();
  }

  private long pagedOut(int sharing) throws Exception {
    long base = kernel.calls().mmap(
        task, 0, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    UserMemory memory = task.newCpu();
    for (int i = 0; i < PAGES; i++) {
      memory.putByte(base + i * PAGE_SIZE, (byte) 1);
    }
    kernel.calls().madvise(task, base, PAGES * PAGE_SIZE, MADV_PAGEOUT);
    return base;
  }

  private String rollup(Task of, String line) {
    return kernel.proc().smapsRollup(of).lines().filter(l -> l.startsWith(line + ":")).findFirst()
        .orElseThrow().substring(line.length() + 1).strip();
  }

  @Test
  void privatePagesCountInSwapAndNotInRss() throws Exception {
    long base = pagedOut(MAP_PRIVATE);
    assertThat(rollup(task, "Rss")).isEqualTo("0 kB");
    assertThat(rollup(task, "Swap")).isEqualTo("32 kB");
    assertThat(rollup(task, "SwapPss")).isEqualTo("32 kB");
    assertThat(kernel.proc().status(task).lines())
        .contains("VmSwap:\t      32 kB", "VmHWM:\t      32 kB", "VmRSS:\t       0 kB");
    assertThat(Arrays.stream(kernel.proc().pagemap(task, base, PAGES)))
        .allMatch(word -> word >>> 62 == 1 && (word & 31) == 0);
    assertThat(Arrays.stream(kernel.proc().pagemap(task, base, PAGES)).distinct())
        .hasSize(PAGES);
    UsageAudit.check(kernel);
  }

  @Test
  void aChildSharesTheSlots() throws Exception {
    long unused = pagedOut(MAP_PRIVATE);
    Task child = kernel.tasks().fork(task);
    for (Task one : new Task[] {task, child}) {
      assertThat(rollup(one, "Swap")).isEqualTo("32 kB");
      assertThat(rollup(one, "SwapPss")).isEqualTo("16 kB");
    }
    UsageAudit.check(kernel);
  }

  @Test
  void sharedMemoryCountsForAllWhoMapIt() throws Exception {
    long unused = pagedOut(MAP_SHARED);
    Task child = kernel.tasks().fork(task);
    assertThat(rollup(task, "Swap")).isEqualTo("32 kB");
    assertThat(rollup(child, "Swap")).isEqualTo("32 kB");
    assertThat(rollup(child, "SwapPss")).isEqualTo("0 kB");
  }

  @Test
  void theMachineShowsTheDevice() throws Exception {
    long unused = pagedOut(MAP_PRIVATE);
    assertThat(kernel.proc().swaps()).endsWith("\t4096\t\t32\t\t5\n");
    assertThat(kernel.proc().meminfo().lines())
        .contains("SwapTotal:          4096 kB", "SwapFree:           4064 kB");
    assertThat(kernel.proc().vmstat().lines()).contains("pswpout 8", "pswpin 0");
  }
}
