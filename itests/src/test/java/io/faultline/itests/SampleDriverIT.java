// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static io.faultline.mm.Mman.PAGE_SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.SignalCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;

/** samples/Hello.java, as a newcomer treats it: compiled by the script, dropped in, mapped. */
@InFelix
class SampleDriverIT {
  private static final String DEVICE = "/dev/hello";

  /** Where in the page the driver writes how many areas map it. */
  private static final int COUNTER = 4080;

  private Path jar;
  private Devices devices;
  private Tasks tasks;
  private Files files;
  private VmaService memory;

  @BeforeEach
  void compileIntoTheDropInFolder(
      BundleContext context, Devices table, Tasks processes, Files descriptors, VmaService calls)
      throws Exception {
    devices = table;
    tasks = processes;
    files = descriptors;
    memory = calls;
    Path home = Path.of(context.getProperty("faultline.home"));
    Path folder = Path.of(context.getProperty("faultline.drivers"));
    jar = folder.resolve("hello.jar");
    // A relative source, from a folder that is not the script's.
    ProcessBuilder script =
        new ProcessBuilder(
            home.resolve("faultline").toString(), "driver", "samples/Hello.java", "-o",
            folder.toString())
            .directory(home.toFile())
            .redirectErrorStream(true);
    script.environment().put("FAULTLINE_VAR", context.getProperty("faultline.var"));
    Process process = script.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said).startsWith("hello 1.0.0: /dev/hello\n");
    Eventually.holds(
        DEVICE + " is there",
        () -> devices.find(DEVICE).filter(DeviceInfo::present).isPresent());
  }

  @AfterEach
  void takeOut() throws IOException {
    java.nio.file.Files.deleteIfExists(jar);
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
  }

  private Program start() {
    return Program.start(tasks, files, memory);
  }

  private String counter(Program program, long address) {
    return program.text(address + COUNTER);
  }

  @Test
  void aMappingSeesWhatWriteWrote() throws Exception {
    try (Program program = start()) {
      int fd = program.open(DEVICE);
      program.writePage(fd, "hello");
      assertThat(program.text(program.map(fd, 1))).isEqualTo("hello");
      assertThat(devices.find(DEVICE).orElseThrow().faults()).isPositive();
    }
  }

  @Test
  void readSeesWhatAMappingWrote() throws Exception {
    try (Program program = start()) {
      int fd = program.open(DEVICE);
      program.putText(program.map(fd, 1), "mapped");
      byte[] bytes = new byte[2 * PAGE_SIZE];
      assertThat(files.read(program.task(), fd, java.lang.foreign.MemorySegment.ofArray(bytes)))
          .isEqualTo(PAGE_SIZE);
      assertThat(new String(bytes, 0, 6, StandardCharsets.US_ASCII)).isEqualTo("mapped");
    }
  }

  @Test
  void behindItsOnePageIsSigbus() throws Exception {
    try (Program program = start()) {
      long address = program.map(program.open(DEVICE), 2);
      assertThat(program.refusal(address + PAGE_SIZE)).isEqualTo(SignalCode.BUS_ADRERR);
    }
  }

  @Test
  void itsLastBytesCountTheAreasThroughForkAndSplitAndExit() throws Exception {
    try (Program program = start()) {
      long address = program.map(program.open(DEVICE), 3);
      assertThat(counter(program, address)).isEqualTo("areas: 1");
      try (Program child = program.fork()) {
        assertThat(counter(program, address)).isEqualTo("areas: 2");
        child.unmap(address + PAGE_SIZE, 1);
        assertThat(counter(program, address)).isEqualTo("areas: 3");
      }
      assertThat(counter(program, address)).isEqualTo("areas: 1");
    }
  }

  @Test
  void removedWhileMappedItLeavesSigbusAndNoFrames() throws Exception {
    Program program = start();
    try (program) {
      long address = program.map(program.open(DEVICE), 1);
      program.putText(address, "here");
      java.nio.file.Files.delete(jar);
      // Not only absent: it is that already while its areas are being closed, page by page.
      Eventually.holds(
          DEVICE + " is gone and its areas are left",
          () -> devices.find(DEVICE).filter(d -> d.state() == DeviceInfo.State.GONE).isPresent());
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
    }
    assertThat(program.task().end()).isEqualTo("exited 0");
  }
}
