// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.SignalCode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/** The drivers that are shipped, each in its bundle, in a running kernel. */
@InFelix
class DriverBundlesIT {
  private static Bundle install(BundleContext context, Devices devices, String name, String device)
      throws BundleException {
    Path jar = Path.of(context.getProperty("faultline.available"), name + ".jar");
    Bundle bundle = context.installBundle(jar.toUri().toString());
    bundle.start();
    Eventually.holds(device + " is there", () -> devices.find(device).isPresent());
    return bundle;
  }

  private static void uninstall(Bundle bundle, Devices devices, String device)
      throws BundleException {
    bundle.uninstall();
    Eventually.holds(
        device + " is absent",
        () -> devices.find(device).filter(DeviceInfo::present).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({"zero, /dev/zero", "simple, /dev/simpler", "simple, /dev/simplen",
    "scullp, /dev/scullp0", "ring, /dev/ring0", "uio, /dev/uio0"})
  void isInstalledMappedFaultedAndUninstalled(
      String name,
      String device,
      BundleContext context,
      Devices devices,
      Tasks tasks,
      Files files,
      VmaService memory)
      throws Exception {
    Bundle bundle = install(context, devices, name, device);
    assertThat(devices.find(device).orElseThrow().driver()).isEqualTo(bundle.getSymbolicName());
    try (Program program = Program.start(tasks, files, memory)) {
      int fd = program.open(device);
      if (name.equals("scullp")) {
        program.writePage(fd, "a page");
      }
      long address = program.map(fd, 1);
      program.putText(address, "touched");
      assertThat(program.text(address)).isEqualTo("touched");
      program.unmap(address, 1);
    }
    uninstall(bundle, devices, device);
    assertThat(devices.find(device)).isEmpty();
  }

  @Test
  void twoStandSideBySideInOneProcess(
      BundleContext context, Devices devices, Tasks tasks, Files files, VmaService memory)
      throws Exception {
    Bundle zero = install(context, devices, "zero", "/dev/zero");
    Bundle scullp = install(context, devices, "scullp", "/dev/scullp0");
    try (Program program = Program.start(tasks, files, memory)) {
      int memoryDevice = program.open("/dev/scullp0");
      program.writePage(memoryDevice, "scullp");
      long ofScullp = program.map(memoryDevice, 1);
      long ofZero = program.mapPrivate(program.open("/dev/zero"), 1);
      assertThat(program.text(ofScullp)).isEqualTo("scullp");
      assertThat(program.text(ofZero)).isEmpty();
      zero.uninstall();
      assertThat(program.text(ofScullp)).as("the other goes on").isEqualTo("scullp");
    } finally {
      uninstall(scullp, devices, "/dev/scullp0");
    }
  }

  @Test
  void anAreaThatIsLeftAnswersWithSigbusAndItsProcessEndsCleanly(
      BundleContext context, Devices devices, Tasks tasks, Files files, VmaService memory)
      throws Exception {
    Bundle bundle = install(context, devices, "scullp", "/dev/scullp0");
    Program program = Program.start(tasks, files, memory);
    try (program) {
      int fd = program.open("/dev/scullp0");
      program.writePage(fd, "a page");
      long address = program.map(fd, 1);
      assertThat(program.text(address)).isEqualTo("a page");
      uninstall(bundle, devices, "/dev/scullp0");
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    }
    assertThat(program.task().end()).isEqualTo("exited 0");
    assertThat(devices.find("/dev/scullp0")).isEmpty();
  }
}
