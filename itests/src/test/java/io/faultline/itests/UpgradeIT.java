// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalCode;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** {@code driver upgrade}, as a user types it, while the device is open and mapped. Gaps: {@link GapIT}. */
@InFelix
class UpgradeIT {
  private static final String DEVICE = "/dev/stamp";

  private BundleContext context;
  private Devices devices;
  private CommandSession session;
  private Program program;

  @BeforeEach
  void setUp(
      BundleContext bundle, Devices table, CommandProcessor processor, Tasks tasks, Files files,
      VmaService memory) {
    context = bundle;
    devices = table;
    session =
        processor.createSession(
            InputStream.nullInputStream(), PrintStream.nullOutputStream(),
            PrintStream.nullOutputStream());
    program = Program.start(tasks, files, memory);
  }

  @AfterEach
  void end() throws Exception {
    program.close();
    session.close();
    for (Bundle bundle : context.getBundles()) {
      if (DriverJar.NAME.equals(bundle.getSymbolicName())) {
        Path jar = Path.of(java.net.URI.create(bundle.getLocation()));
        java.nio.file.Files.deleteIfExists(jar);
      }
    }
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
    // One that was stopped is without a device already, and would be in the next test's way.
    Eventually.holds("its bundles are uninstalled", () -> versions() == 0);
  }

  private static Path jar(String version) throws Exception {
    return jar(version, "");
  }

  private static Path jar(String version, String imports) throws Exception {
    Path jar = java.nio.file.Files.createTempDirectory("upgrade").resolve("s-" + version + ".jar");
    return java.nio.file.Files.write(jar, DriverJar.ofVersion(version, imports));
  }

  private String run(String line) throws Exception {
    return String.valueOf(session.execute(line));
  }

  private String refusal(String line) {
    Throwable thrown = catchThrowable(() -> session.execute(line));
    assertThat(thrown).as(line).isNotNull();
    return thrown.toString();
  }

  private DeviceInfo device() {
    return devices.find(DEVICE).orElseThrow();
  }

  private long versions() {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> DriverJar.NAME.equals(bundle.getSymbolicName()))
        .count();
  }

  /** The old version serves, and its area is as it was. */
  private void assertTheOldOneServes(long address) {
    assertThat(device().state()).isEqualTo(State.SERVING);
    assertThat(device().driverVersion()).isEqualTo("1.0.0.a");
    assertThat(program.text(address)).isEqualTo("stamp 1.0.0.a");
    Eventually.holds("the new version is uninstalled", () -> versions() == 1);
  }

  @Test
  void theNewVersionTakesOverAndTheOldOneIsUninstalled() throws Exception {
    run("driver install " + jar("1.0.0.a"));
    int fd = program.open(DEVICE);
    long touched = program.map(fd, 1);
    long untouched = program.map(fd, 1);
    assertThat(program.text(touched)).isEqualTo("stamp 1.0.0.a");

    String said = run("driver upgrade " + jar("1.1.0.b"));

    assertThat(said).contains("1.0.0.a -> 1.1.0.b", "1 open files, 2 areas", "1.0.0.a is gone");
    assertThat(program.text(touched)).as("a page that is mapped").isEqualTo("stamp 1.0.0.a");
    assertThat(program.text(untouched)).isEqualTo("stamp 1.1.0.b");
    assertThat(versions()).isEqualTo(1);
    assertThat(run("driver list")).contains(DriverJar.NAME + " 1.1.0.b", "serving");
    assertThat(run("driver info " + DEVICE)).contains("1.1.0.b", "sigbus", "1 open files, 2 areas");
    run("driver remove stamp");
    assertThat(program.refusal(untouched)).isEqualTo(SignalCode.BUS_ADRERR);
  }

  @Test
  void aVersionThatDoesNotResolveLeavesTheOldOneServing() throws Exception {
    run("driver install " + jar("1.0.0.a"));
    long address = program.map(program.open(DEVICE), 1);
    assertThat(refusal("driver upgrade " + jar("1.1.0.b", "no.such.packet,")))
        .contains("resolve: ", "no.such.packet", "1.0.0.a has not stopped");
    assertTheOldOneServes(address);
  }

  @Test
  void aVersionWhoseSelfTestFailsLeavesTheOldOneServing() throws Exception {
    run("driver install " + jar("1.0.0.a"));
    long address = program.map(program.open(DEVICE), 1);
    assertThat(refusal("driver upgrade " + jar("1.1.0.selftest")))
        .contains("self-test: ", "the self-test of this version fails", "has not stopped");
    assertTheOldOneServes(address);
  }

  @Test
  void aVersionThatRefusesOneAreaLeavesTheOldOneServing(VmaService memory) throws Exception {
    run("driver install " + jar("1.0.0.a"));
    int fd = program.open(DEVICE);
    long address = program.map(fd, 1);
    memory.mmap(
        program.task(), 0, Mman.PAGE_SIZE, Mman.PROT_READ, Mman.MAP_SHARED, fd, Mman.PAGE_SIZE);
    assertThat(refusal("driver upgrade " + jar("1.1.0.refuses")))
        .contains("adopt: ", "not the area of page 1", "has not stopped");
    assertTheOldOneServes(address);
  }

  @Test
  void aVersionMayHaveMoreDevicesAndFewerWhereNobodyUsesThem() throws Exception {
    run("driver install " + jar("1.0.0.two"));
    long address = program.map(program.open("/dev/stamp1"), 1);
    assertThat(program.text(address)).isEqualTo("stamp 1.0.0.two");

    assertThat(run("driver upgrade " + jar("1.1.0.three"))).contains("/dev/stamp2");
    int fd = program.open("/dev/stamp2");
    long third = program.map(fd, 1);
    assertThat(program.text(third)).isEqualTo("stamp 1.1.0.three");

    assertThat(refusal("driver upgrade " + jar("1.2.0.two")))
        .contains("match: ", "/dev/stamp2 is open or mapped", "1.1.0.three has not stopped");
    program.unmap(third, 1);
    program.close(fd);
    run("driver upgrade " + jar("1.3.0.two"));
    assertThat(devices.find("/dev/stamp2")).isEmpty();
    assertThat(program.text(address)).as("a page that is mapped").isEqualTo("stamp 1.0.0.two");
    run("driver remove stamp");
  }

  @Test
  void whenTheGapIsOverThePolicyAnswers() throws Exception {
    run("driver install " + jar("1.0.0.a"));
    long address = program.map(program.open(DEVICE), 1);
    Bundle bundle =
        Arrays.stream(context.getBundles())
            .filter(b -> DriverJar.NAME.equals(b.getSymbolicName()))
            .findFirst()
            .orElseThrow();
    long began = System.nanoTime();
    bundle.stop();
    assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    assertThat(System.nanoTime() - began).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1900));
  }
}
