// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.core.fault.FaultStatistics;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.core.memory.VmEvent;
import io.faultline.core.mm.CommitAccount;
import io.faultline.core.paging.Pte;
import io.faultline.device.IoRegion;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.SwapInfo;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Texts of a machine with two swap devices. */
class MachineTextTest {
  private final PhysicalMemory memory = new PhysicalMemory(16 << 20);
  private final MachineText text =
      new MachineText(
          memory, () -> List.of(new Registers("edu", 0x40000, 257)), List::of,
          new FaultStatistics(), new CommitAccount(), KernelProfile.LINUX_6_18, new TwoDevices());

  private record Registers(String name, long frame, int pages) implements IoRegion {}

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void swapsAlignsItsColumnsAndEscapesNames() {
    assertThat(text.swaps())
        .isEqualTo(
            "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                + "/my\\040swap" + " ".repeat(29) + "file\t\t4096\t\t8\t\t-2\n"
                + "/dev/sda2" + " ".repeat(31) + "partition\t12000000\t0\t\t5\n");
  }

  @Test
  void iomemHasMemoryAndThenTheRegistersOfDevices() {
    assertThat(text.iomem())
        .isEqualTo(
            "00000000-00000fff : Reserved\n"
                + "00001000-00ffffff : System RAM\n"
                + "40000000-40100fff : edu\n");
  }

  @Test
  void meminfoAddsUpTheDevices() {
    assertThat(text.meminfo().lines())
        .contains("SwapTotal:      12004096 kB", "SwapFree:       12004088 kB");
  }

  @Test
  void vmstatHasWhatWasCounted() {
    memory.events().count(VmEvent.PSWPIN, 7);
    long frame = memory.allocate(FrameUse.FILE);
    memory.put(frame);
    assertThat(text.vmstat().lines())
        .contains("pswpin 7", "pgalloc_normal 2", "pgfree 1", "nr_free_pages 4094");
  }

  @Test
  void everyEventIsALineOfVmstat() {
    List<String> names = text.vmstat().lines().map(line -> line.split(" ")[0]).toList();
    for (VmEvent event : VmEvent.values()) {
      assertThat(names).contains(event.key());
    }
    assertThat(names).doesNotHaveDuplicates();
  }

  @Test
  void aSlotThatThreeEntriesNameIsSharedOut() {
    MemoryUsage usage = new MemoryUsage();
    usage.addEntry(memory, new TwoDevices(), Pte.swap(3), false);
    usage.addEntry(memory, new TwoDevices(), Pte.swap(1), false);
    assertThat(usage.swap).isEqualTo(2 * 4096);
    assertThat(usage.swapPss).isEqualTo((4096L << 12) / 3 + (4096L << 12));
    assertThat(usage.resident).isZero();
  }

  /** A slot has as many claims as its number says. */
  private static final class TwoDevices extends NoReclaim {
    TwoDevices() {
      super(4096);
    }

    @Override
    public int claims(long slot) {
      return (int) slot;
    }

    @Override
    public List<SwapInfo> devices() {
      return List.of(
          new SwapInfo("/my swap", "file", 1024, 2, -2, 0, 0, 0, null),
          new SwapInfo("/dev/sda2", "partition", 3_000_000, 0, 5, 0, 0, 0, null));
    }
  }
}
