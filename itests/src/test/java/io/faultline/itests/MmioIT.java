// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Drivers;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalCode;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** {@code mmio.jar} in a running kernel: a program drives the device's registers. */
@InFelix
class MmioIT {
  private static final String DEVICE = "/dev/edu0";
  private static final int PAGES = 272;
  private static final int IDENTIFICATION = 0x00;
  private static final int LIVENESS = 0x04;
  private static final int FACTORIAL = 0x08;
  private static final int STATUS = 0x20;
  private static final int DMA_SOURCE = 0x80;
  private static final int DMA_DESTINATION = 0x88;
  private static final int DMA_COUNT = 0x90;
  private static final int DMA_COMMAND = 0x98;
  private static final long DMA_BUFFER = 0x40000;

  private static boolean present(Devices devices) {
    return devices.find(DEVICE).filter(DeviceInfo::present).isPresent();
  }

  private static Path jar(BundleContext context) {
    return Path.of(context.getProperty("faultline.available"), "mmio.jar");
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("edu0")).count();
  }

  private static int factorial(UserMemory memory, long registers, int of) {
    memory.putInt(registers + FACTORIAL, of);
    while ((memory.getInt(registers + STATUS) & 1) != 0) {
      Thread.onSpinWait();
    }
    return memory.getInt(registers + FACTORIAL);
  }

  private static void transfer(UserMemory memory, long registers, long from, long to, int command) {
    memory.putLong(registers + DMA_SOURCE, from);
    memory.putLong(registers + DMA_DESTINATION, to);
    memory.putLong(registers + DMA_COUNT, 16);
    memory.putInt(registers + DMA_COMMAND, 1 | command);
    while ((memory.getInt(registers + DMA_COMMAND) & 1) != 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aProgramDrivesItAcrossAnUpgradeAndARemoval(
      BundleContext context, Devices devices, Drivers drivers, Proc proc, Tasks tasks, Files files,
      VmaService memory)
      throws Exception {
    Bundle bundle = context.installBundle(jar(context).toUri().toString());
    bundle.start();
    Eventually.holds(DEVICE + " is there", () -> present(devices));
    try (Program program = Program.start(tasks, files, memory)) {
      long registers = program.map(program.open(DEVICE), PAGES);
      long dma = registers + 256L * Mman.PAGE_SIZE;
      UserMemory cpu = program.task().newCpu();
      assertThat(cpu.getInt(registers + IDENTIFICATION)).isEqualTo(0x010000ed);
      cpu.putInt(registers + LIVENESS, 0x0ff0);
      assertThat(cpu.getInt(registers + LIVENESS)).isEqualTo(~0x0ff0);
      assertThat(factorial(cpu, registers, 10)).isEqualTo(3628800);
      program.putText(dma, "sixteen letters");
      transfer(cpu, registers, 0, DMA_BUFFER, 0);
      transfer(cpu, registers, DMA_BUFFER, 4096, 2);
      assertThat(program.text(dma + Mman.PAGE_SIZE)).isEqualTo("sixteen letters");
      assertThat(proc.iomem()).containsPattern("4[0-9a-f]{7}-[0-9a-f]{8} : edu0\n");
      assertThat(threads()).isEqualTo(1);

      Bundle next = context.installBundle(
          "mmio:next", new ByteArrayInputStream(DriverJar.withVersion(jar(context), "1000.0.1")));
      next.start();
      assertThat(drivers.upgrade(bundle.getBundleId(), next.getBundleId()).areas()).isEqualTo(1);
      bundle.uninstall();
      bundle = next;
      Eventually.holds("the old one's thread ends", () -> threads() <= 1);
      assertThat(cpu.getInt(registers + LIVENESS)).as("carried over").isEqualTo(~0x0ff0);
      assertThat(factorial(cpu, registers, 5)).isEqualTo(120);
      transfer(cpu, registers, DMA_BUFFER, 8192, 2);
      assertThat(program.text(dma + 2L * Mman.PAGE_SIZE)).isEqualTo("sixteen letters");

      bundle.uninstall();
      Eventually.holds(DEVICE + " is absent", () -> !present(devices));
      assertThat(program.refusal(registers)).isEqualTo(SignalCode.BUS_ADRERR);
      Eventually.holds("no thread is left", () -> threads() == 0);
      assertThat(proc.iomem()).as("still mapped").contains(" : edu0\n");
    }
    Eventually.holds("the region is gone", () -> !proc.iomem().contains("edu0"));
  }

  @Test
  void anOverwriteKeepsTheRegionOfAMappedDevice(
      BundleContext context, Devices devices, Proc proc, Tasks tasks, Files files,
      VmaService memory)
      throws Exception {
    Bundle bundle = context.installBundle(jar(context).toUri().toString());
    try (Program program = Program.start(tasks, files, memory)) {
      bundle.start();
      Eventually.holds(DEVICE + " is there", () -> present(devices));
      long registers = program.map(program.open(DEVICE), PAGES);
      String before = proc.iomem();
      assertThat(before).contains(" : edu0\n");
      bundle.update(
          new ByteArrayInputStream(DriverJar.withVersion(jar(context), "1000.0.2")));
      Eventually.holds(DEVICE + " is back", () -> present(devices));
      assertThat(proc.iomem()).isEqualTo(before);
      UserMemory cpu = program.task().newCpu();
      assertThat(cpu.getInt(registers + IDENTIFICATION)).isEqualTo(0x010000ed);
    } finally {
      bundle.uninstall();
    }
    Eventually.holds("the region is gone", () -> !proc.iomem().contains("edu0"));
  }
}
