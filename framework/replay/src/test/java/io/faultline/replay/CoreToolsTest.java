// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.faultline.device.AccessMode;
import io.faultline.driver.simple.SimpleMemory;
import io.faultline.driver.simple.SimpleRemap;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Task;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlag;
import io.faultline.replay.recording.Recording;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What readelf and gdb make of the core of a replayed process. Where they are not installed a test is
 * skipped with one line.
 */
@FaultlineTest(memory = 256 << 20)
class CoreToolsTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final BootedKernel kernel;
  private final Program program;

  @TempDir Path folder;

  /** The recorded process as it was at the end of its recording. */
  CoreToolsTest(BootedKernel kernel) throws IOException {
    this.kernel = kernel;
    Recording recording = Recording.read(TestRecordings.directory("ls"));
    ReplayResult result =
        new Replayer(TestServices.of(kernel))
            .replay(recording, new ReplayOptions(1, Integer.MAX_VALUE, false, true));
    assertThat(result.exact()).isTrue();
    program = new Program(kernel, Objects.requireNonNull(result.kept()));
  }

  private Path dump() throws Exception {
    Path file = folder.resolve("core");
    kernel.cores().dump(program.task(), file, CoreProgress.NONE);
    kernel.validate();
    return file;
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException notInstalled) {
      System.out.println("CoreToolsTest: skipped: " + command[0] + " is not installed");
      assumeThat(false).as(command[0] + " is installed").isTrue();
      throw notInstalled;
    }
    process.getOutputStream().close();
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return new String(output, StandardCharsets.UTF_8);
  }

  /** The files that the recording names are others here, or none: gdb is not to look at them. */
  private static String gdb(Path core, String... commands) throws Exception {
    List<String> words = new ArrayList<>(
        List.of("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
            "-iex", "set sysroot /nowhere", "-core", core.toString()));
    for (String command : commands) {
      words.add("-ex");
      words.add(command);
    }
    return run(words.toArray(String[]::new));
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }

  /** A number with 0x and leading zeros, without. */
  private static String number(String word) {
    return hex(Long.parseUnsignedLong(word.substring(2), 16));
  }

  private static List<String> words(String line) {
    return List.of(line.strip().split(" +"));
  }

  @Test
  void readelfListsEveryAreaWithItsRightsAndEveryFile() throws Exception {
    String listing = run("readelf", "-lnW", dump().toString());

    List<String> expected = new ArrayList<>();
    List<String> files = new ArrayList<>();
    for (String line : kernel.proc().maps(program.task()).lines().toList()) {
      List<String> words = words(line);
      String[] range = words.getFirst().split("-");
      String rights = words.get(1);
      expected.add(
          range[0] + " " + hex(Long.parseUnsignedLong(range[1], 16)
              - Long.parseUnsignedLong(range[0], 16)) + " "
              + (rights.charAt(0) == 'r' ? "R" : "") + (rights.charAt(1) == 'w' ? "W" : "")
              + (rights.charAt(2) == 'x' ? "E" : ""));
      if (words.size() > 5 && words.get(5).startsWith("/")) {
        files.add(words.get(5));
      }
    }
    List<String> found = new ArrayList<>();
    for (String line : listing.lines().filter(l -> l.strip().startsWith("LOAD")).toList()) {
      List<String> words = words(line);
      String rights = String.join("", words.subList(6, words.size() - 1));
      found.add(number(words.get(2)) + " " + number(words.get(5)) + " " + rights);
    }
    assertThat(found).isEqualTo(expected);
    assertThat(listing).contains("NT_PRSTATUS", "NT_PRPSINFO", "NT_AUXV", "NT_FILE");
    assertThat(listing).doesNotContainIgnoringCase("warning");
    assertThat(files).hasSizeGreaterThan(10);
    if (!listing.contains("Cannot decode 64-bit note")) {
      // Some builds of readelf know 64-bit notes by name alone.
      assertThat(files).allMatch(listing::contains);
    }
  }

  @Test
  void gdbListsAreasAndMappedFilesAndReadsBackWhatWasWritten() throws Exception {
    long heap = startOf("[heap]");
    long stack = startOf("[stack]") + 32L * PAGE;
    program.poke(heap + 0x128, "FAULTLINE");
    program.memory().putLong(stack, 0x1122_3344_5566_7788L);

    String said =
        gdb(dump(), "info proc mappings", "maint info sections", "x/8xb 0x" + hex(heap + 0x128),
            "x/s 0x" + hex(heap + 0x128), "x/1gx 0x" + hex(stack), "info auxv",
            "print $_siginfo", "info registers rip rsp");

    assertThat(said).contains("Core was generated by `/bin/ls -la /usr/bin'");
    for (String file : List.of(
        "/usr/bin/ls", "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")) {
      long areas = kernel.proc().maps(program.task()).lines().filter(l -> l.endsWith(file)).count();
      assertThat(said.lines().filter(l -> l.matches(" +0x.*" + file + " *"))).as(file)
          .hasSize((int) areas);
    }
    assertThat(said).contains("0x" + hex(heap) + "->");
    assertThat(said.replace('\t', ' ')).contains(
        "0x" + hex(heap + 0x128) + ": 0x46 0x41 0x55 0x4c 0x54 0x4c 0x49 0x4e",
        "\"FAULTLINE\"", "0x1122334455667788", "AT_PAGESZ");
    assertThat(said).doesNotContain("not a core dump", "Failed to read");
  }

  @Test
  void gdbFindsNoMemoryWhereAVmIoAreaWas() throws Exception {
    SimpleMemory simple = new SimpleMemory(kernel.pages("simple"));
    kernel.devices().register(DeviceRegistration.of("simpler"), new SimpleRemap(simple));
    int fd = program.open("/dev/simpler", AccessMode.READ_WRITE);
    long device = program.mmapShared(fd, 2 * PAGE, 0);
    program.poke(device, "registers");
    long memory =
        program.mmap(-1, PAGE, Mman.PROT_READ | Mman.PROT_WRITE,
            Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
    program.poke(memory, "memory");
    assertThat(program.area(device).has(VmFlag.IO)).isTrue();

    Path core = dump();
    // gdb stops at the first command that fails, so that the last one does.
    for (long page : new long[] {device, device + PAGE}) {
      String said =
          gdb(core, "info proc mappings", "x/s 0x" + hex(memory), "x/1xb 0x" + hex(page));
      assertThat(said).contains("\"memory\"");
      assertThat(said).contains("Cannot access memory at address 0x" + hex(page));
      assertThat(said.lines().filter(l -> l.contains("/dev/simpler") && l.contains(hex(device))))
          .isNotEmpty();
    }
    simple.free();
  }

  @Test
  void gdbTellsTheSignalAndTheFaultingAddress() throws Exception {
    kernel.cores().setPattern(folder + "/core");
    Task task = program.task();
    try {
      program.memory().putByte(0xdead_0000L, (byte) 1);
    } catch (SignalException expected) {
      assertThat(expected.info().address()).isEqualTo(0xdead_0000L);
    }
    assertThat(task.end()).isEqualTo("killed by SIGSEGV (core dumped)");

    String said =
        gdb(folder.resolve("core"), "print $_siginfo.si_signo", "print $_siginfo.si_code",
            "print $_siginfo._sifields._sigfault.si_addr");

    assertThat(said).contains(
        "Program terminated with signal SIGSEGV", "$1 = 11", "$2 = 1", "(void *) 0xdead0000");
  }

  private long startOf(String name) {
    String line = kernel.proc().maps(program.task()).lines().filter(l -> l.endsWith(name))
        .findFirst().orElseThrow();
    return Long.parseUnsignedLong(line, 0, line.indexOf('-'), 16);
  }
}
