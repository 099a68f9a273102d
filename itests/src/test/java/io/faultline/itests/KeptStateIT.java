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
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Mman;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** scullp's data while its bundle is stopped, updated or overwritten. In the gap: {@link GapIT}. */
@InFelix
class KeptStateIT {
  private static final String DEVICE = "/dev/scullp0";
  private static final String LOCATION = "kept:scullp";

  private BundleContext context;
  private Devices devices;
  private Drivers drivers;
  private Files files;
  private Program program;
  private Path dropped;

  @BeforeEach
  void setUp(
      BundleContext bundle, Devices table, Drivers service, Tasks tasks, Files open,
      VmaService memory) {
    context = bundle;
    devices = table;
    drivers = service;
    files = open;
    program = Program.start(tasks, open, memory);
    dropped = Path.of(context.getProperty("faultline.drivers"), "scullp.jar");
  }

  @AfterEach
  void end() throws Exception {
    program.close();
    Bundle left = context.getBundle(LOCATION);
    if (left != null) {
      left.uninstall();
    }
    java.nio.file.Files.deleteIfExists(dropped);
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
    // Its device goes before it: the next test's jar would be taken for an update.
    Eventually.holds(
        "what was dropped in is uninstalled",
        () -> context.getBundle(dropped.toFile().toURI().toString()) == null);
    Eventually.holds("nothing is kept", () -> drivers.kept().isEmpty());
  }

  private byte[] jar(String version) throws IOException {
    Path jar = Path.of(context.getProperty("faultline.available"), "scullp.jar");
    return DriverJar.withVersion(jar, version);
  }

  private Bundle install() throws Exception {
    Bundle bundle = context.installBundle(LOCATION, new ByteArrayInputStream(jar("1000.0.1")));
    bundle.start();
    awaitVersion("1000.0.1");
    return bundle;
  }

  private void awaitVersion(String version) {
    Eventually.holds(
        DEVICE + " of version " + version,
        () -> devices.find(DEVICE)
            .filter(DeviceInfo::present)
            .filter(d -> d.driverVersion().equals(version))
            .isPresent());
  }

  private String read(int fd) throws Exception {
    byte[] bytes = new byte[16];
    files.seek(program.task(), fd, 0);
    files.read(program.task(), fd, MemorySegment.ofArray(bytes));
    return new String(bytes, StandardCharsets.US_ASCII).trim();
  }

  private String run(CommandProcessor processor, String line) throws Exception {
    try (CommandSession session =
        processor.createSession(
            InputStream.nullInputStream(), PrintStream.nullOutputStream(),
            PrintStream.nullOutputStream())) {
      return String.valueOf(session.execute(line));
    }
  }

  @Test
  void anUpdateOfTheBundleKeepsContents() throws Exception {
    Bundle bundle = install();
    int fd = program.open(DEVICE);
    program.writePage(fd, "by write");
    long address = program.map(fd, 1);
    program.putText(address, "by a mapping");

    bundle.update(new ByteArrayInputStream(jar("1000.0.2")));

    awaitVersion("1000.0.2");
    assertThat(program.text(address)).isEqualTo("by a mapping");
    assertThat(read(fd)).isEqualTo("by a mapping");
    assertThat(drivers.kept()).isEmpty();
  }

  @Test
  void aJarThatIsOverwrittenInTheFolderKeepsContents() throws Exception {
    drop("1000.0.1");
    int fd = program.open(DEVICE);
    program.writePage(fd, "before");
    long address = program.map(fd, 1);
    assertThat(program.text(address)).isEqualTo("before");

    drop("1000.0.2");

    assertThat(program.text(address)).isEqualTo("before");
    program.putText(address, "behind");
    assertThat(read(fd)).isEqualTo("behind");
  }

  private void drop(String version) throws Exception {
    Path part = dropped.resolveSibling("scullp.part");
    java.nio.file.Files.write(part, jar(version));
    java.nio.file.Files.move(part, dropped, StandardCopyOption.REPLACE_EXISTING);
    awaitVersion(version);
  }

  @Test
  void whatIsKeptOfAStoppedDriverIsShownAndCanBeFreed(CommandProcessor processor, Proc proc)
      throws Exception {
    Bundle bundle = install();
    int fd = program.open(DEVICE);
    program.writePage(fd, "one");
    program.writePage(fd, "two");
    program.map(fd, 2);

    bundle.stop();

    assertThat(run(processor, "driver list"))
        .contains(
            "kept: /dev/scullp0 as io.faultline.driver.scullp 1000.0.1 saved it, 2 pages and ");
    assertThat(run(processor, "driver info scullp")).contains("kept: /dev/scullp0 as ");
    long before = free(proc);

    assertThat(run(processor, "driver forget scullp")).contains("4 states");

    assertThat(drivers.kept()).isEmpty();
    assertThat(free(proc) - before).isEqualTo(2 * Mman.PAGE_SIZE / 1024);
    bundle.start();
    awaitVersion("1000.0.1");
    assertThat(read(program.open(DEVICE))).isEmpty();
  }

  @Test
  void uninstallingFreesWhatIsKept(Proc proc) throws Exception {
    long before = free(proc);
    Bundle bundle = install();
    program.writePage(program.open("/dev/scullp1"), "one");
    bundle.stop();
    assertThat(drivers.kept()).extracting(KeptMemory::pages).contains(1L);
    bundle.uninstall();
    assertThat(drivers.kept()).isEmpty();
    assertThat(free(proc)).isEqualTo(before);
  }

  private static long free(Proc proc) {
    return proc.meminfo().lines()
        .filter(line -> line.startsWith("MemFree:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }
}
