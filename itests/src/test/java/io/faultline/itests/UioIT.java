// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.itests.driver.ShippedJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** {@code uio.jar} in a running kernel. */
@InFelix
class UioIT {
  private static final String DEVICE = "/dev/uio0";
  private static final String NAME = "io.faultline.driver.uio";

  private BundleContext context;
  private Devices devices;
  private Files files;
  private VmaService memory;
  private CommandSession session;
  private Program program;
  private int fd;

  @BeforeEach
  void install(
      BundleContext bundle, Devices table, CommandProcessor processor, Tasks tasks, Files open,
      VmaService calls)
      throws Exception {
    context = bundle;
    devices = table;
    files = open;
    memory = calls;
    session =
        processor.createSession(
            InputStream.nullInputStream(), PrintStream.nullOutputStream(),
            PrintStream.nullOutputStream());
    run("driver install " + ShippedJar.of(bundle, "uio"));
    program = Program.start(tasks, files, memory);
    fd = program.open(DEVICE);
  }

  @AfterEach
  void uninstall() throws Exception {
    program.close();
    for (Bundle bundle : context.getBundles()) {
      if (NAME.equals(bundle.getSymbolicName())) {
        // With its jar, or the folder has one that is not installed.
        String jar = Path.of(URI.create(bundle.getLocation())).getFileName().toString();
        run("rmmod " + jar.replace(".jar", ""));
      }
    }
    Eventually.holds(DEVICE + " is gone", () -> devices.find(DEVICE).isEmpty());
    // Its memory is kept for whichever version comes next.
    run("driver forget " + NAME);
    session.close();
  }

  private String run(String line) throws Exception {
    return String.valueOf(session.execute(line));
  }

  private long map(int index, int pages) throws ErrnoException {
    return memory.mmap(
        program.task(), 0, (long) pages * Mman.PAGE_SIZE, Mman.PROT_READ | Mman.PROT_WRITE,
        Mman.MAP_SHARED, fd, (long) index * Mman.PAGE_SIZE);
  }

  private int interrupts() throws ErrnoException {
    byte[] count = new byte[4];
    assertThat(files.read(program.task(), fd, MemorySegment.ofArray(count))).isEqualTo(4);
    return MemorySegment.ofArray(count).get(ValueLayout.JAVA_INT_UNALIGNED, 0);
  }

  @Test
  void theShellAndTheDoorbellRaiseInterrupts() throws Exception {
    long registers = map(3, 1);
    assertThat(program.text(registers)).startsWith("UIO1");
    program.cpu().putInt(registers + 0x0c, 1);
    assertThat(interrupts()).isEqualTo(1);
    assertThatThrownBy(this::interrupts).hasMessageContaining("no interrupt came");
    assertThat(run("uio irq")).isEqualTo("event 1, interrupt masked, pending");
    files.write(program.task(), fd, MemorySegment.ofArray(new byte[] {1, 0, 0, 0}));
    assertThat(interrupts()).isEqualTo(2);
    assertThat(program.cpu().getInt(registers + 4)).isEqualTo(2);
    assertThat(run("uio")).contains("map0  buffers", "map1  frames", "map2  mailbox",
        "map3  registers");
  }

  @Test
  void anotherVersionTakesOverEachKindOfMap() throws Exception {
    long buffers = map(0, 4);
    long frames = map(1, 8);
    long registers = map(3, 1);
    program.putText(buffers, "logical");
    program.putText(frames, "physical");
    program.cpu().putInt(registers + 0x0c, 1);

    assertThat(run("driver upgrade " + ShippedJar.of(context, "uio", "1.1.0")))
        .contains("-> 1.1.0", "1 open files, 3 areas");

    assertThat(program.text(buffers)).isEqualTo("logical");
    assertThat(program.text(frames)).isEqualTo("physical");
    assertThat(program.text(map(1, 1))).isEqualTo("physical");
    Eventually.holds("its files follow", () -> cat("maps/map1/name").equals("frames\n"));
    assertThat(interrupts()).isEqualTo(1);
    program.cpu().putInt(registers + 0x0c, 1);
    assertThat(program.cpu().getInt(registers + 8)).as("pending").isEqualTo(2);
    Eventually.holds("one command is left", () -> {
      try {
        return run("uio").contains("pending");
      } catch (Exception gone) {
        return false;
      }
    });
  }

  @Test
  void anOverwriteLosesNothing() throws Exception {
    long buffers = map(0, 4);
    long frames = map(1, 8);
    long registers = map(3, 1);
    program.putText(buffers, "logical");
    program.putText(frames, "physical");
    program.cpu().putInt(registers + 0x0c, 1);
    assertThat(interrupts()).isEqualTo(1);
    Bundle bundle = Arrays.stream(context.getBundles())
        .filter(b -> NAME.equals(b.getSymbolicName())).findFirst().orElseThrow();

    try (InputStream jar =
        java.nio.file.Files.newInputStream(ShippedJar.of(context, "uio", "1.2.0"))) {
      bundle.update(jar);
    }
    Eventually.holds(DEVICE + " is back", () -> devices.find(DEVICE).filter(
        device -> device.driverVersion().equals("1.2.0") && device.present()).isPresent());

    assertThat(program.text(buffers)).isEqualTo("logical");
    assertThat(program.text(frames)).isEqualTo("physical");
    assertThat(program.text(registers)).startsWith("UIO1");
    assertThatThrownBy(this::interrupts).hasMessageContaining("no interrupt came");
  }

  private String cat(String file) {
    try {
      int opened = files.open(
          program.task(), "/sys/class/uio/uio0/" + file, AccessMode.READ_ONLY);
      byte[] text = new byte[4096];
      int count = files.read(program.task(), opened, MemorySegment.ofArray(text));
      files.close(program.task(), opened);
      return new String(text, 0, count, StandardCharsets.UTF_8);
    } catch (ErrnoException refused) {
      return String.valueOf(refused.getMessage());
    }
  }

  @Test
  void programsFindTheMapsInSysfs() {
    Eventually.holds("it is mounted", () -> cat("maps/map0/name").equals("buffers\n"));
    assertThat(cat("maps/map2/offset")).isEqualTo("0x200\n");
    assertThat(cat("maps/map1/size")).isEqualTo("0x0000000000008000\n");
    assertThat(cat("event")).isEqualTo("0\n");
  }
}
