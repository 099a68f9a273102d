// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalCode;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;

/** The folder drivers/: what is put into it, over it and taken out of it while the kernel runs. */
@InFelix
class FileInstallIT {
  private static final String DEVICE = "/dev/stamp";

  private Path jar = Path.of("");
  private Devices devices = null;
  private BundleContext context = null;

  @BeforeEach
  void setUp(BundleContext bundle, Devices table) {
    context = bundle;
    jar = Path.of(context.getProperty("faultline.drivers"), "stamp.jar");
    devices = table;
    assertThat(devices.find(DEVICE)).as("left by another test").isEmpty();
  }

  @AfterEach
  void takeOut() throws IOException {
    java.nio.file.Files.deleteIfExists(jar);
    // Its device goes before it: the next test's jar would be taken for an update.
    awaitUninstalled();
  }

  private void awaitUninstalled() {
    Eventually.holds(
        "its bundle is gone",
        () -> Arrays.stream(context.getBundles())
            .noneMatch(bundle -> DriverJar.NAME.equals(bundle.getSymbolicName())));
    assertThat(devices.find(DEVICE)).isEmpty();
  }

  private void drop(String version) throws IOException {
    Path part = jar.resolveSibling("stamp.part");
    java.nio.file.Files.write(part, DriverJar.ofVersion(version));
    java.nio.file.Files.move(part, jar, StandardCopyOption.REPLACE_EXISTING);
    Eventually.holds(
        DEVICE + " is of version " + version,
        () -> devices
            .find(DEVICE)
            .filter(DeviceInfo::present)
            .filter(d -> d.driverVersion().equals(version))
            .isPresent());
  }

  @Test
  void aJarThatIsDroppedInMakesItsDevice(Tasks tasks, Files files, VmaService memory)
      throws Exception {
    drop("1.0.0");
    assertThat(devices.find(DEVICE).orElseThrow().driver()).isEqualTo(DriverJar.NAME);
    try (Program program = Program.start(tasks, files, memory)) {
      assertThat(program.text(program.map(program.open(DEVICE), 1))).isEqualTo("stamp 1.0.0");
    }
  }

  @Test
  void aJarThatIsOverwrittenBringsTheNewVersion(Tasks tasks, Files files, VmaService memory)
      throws Exception {
    drop("1.0.0");
    drop("2.0.0");
    try (Program program = Program.start(tasks, files, memory)) {
      assertThat(program.text(program.map(program.open(DEVICE), 1))).isEqualTo("stamp 2.0.0");
    }
  }

  @Test
  void aJarThatIsDeletedTakesItsDeviceAway(Tasks tasks, Files files, VmaService memory)
      throws Exception {
    drop("1.0.0");
    java.nio.file.Files.delete(jar);
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
    try (Program program = Program.start(tasks, files, memory)) {
      ErrnoException refusal =
          catchThrowableOfType(ErrnoException.class, () -> program.open(DEVICE));
      assertThat(refusal.errno()).isEqualTo(Errno.ENOENT);
    }
  }

  @Test
  void anAreaThatADeletedJarLeavesAnswersWithSigbus(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    drop("1.0.0");
    Program program = Program.start(tasks, files, memory);
    try (program) {
      long address = program.map(program.open(DEVICE), 1);
      assertThat(program.text(address)).isEqualTo("stamp 1.0.0");
      java.nio.file.Files.delete(jar);
      Eventually.holds(
          DEVICE + " is gone and its areas are left",
          () -> devices.find(DEVICE).filter(d -> d.state() == DeviceInfo.State.GONE).isPresent());
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    }
    assertThat(program.task().end()).isEqualTo("exited 0");
  }

  @Test
  void halfAJarIsIgnoredUntilItIsWhole() throws Exception {
    byte[] whole = DriverJar.ofVersion("1.0.0");
    java.nio.file.Files.write(jar, Arrays.copyOf(whole, whole.length / 2));
    // Nothing may happen: that can only be waited for. Five rounds of File Install.
    Thread.sleep(500);
    assertThat(devices.find(DEVICE)).isEmpty();
    java.nio.file.Files.write(jar, whole);
    Eventually.holds(DEVICE + " is there", () -> devices.find(DEVICE).isPresent());
  }
}
