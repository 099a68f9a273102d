// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Task;
import io.faultline.shell.BootedShell;
import io.faultline.shell.Command;
import io.faultline.shell.Manual;
import io.faultline.shell.view.AddressView;
import io.faultline.shell.view.AreaRow;
import io.faultline.testkit.ElfCore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every command on a real kernel with a real driver, typed into a real Gogo session. */
class CommandsTest {
  private BootedShell shell;

  @BeforeEach
  void boot() {
    shell = new BootedShell();
  }

  @AfterEach
  void close() {
    shell.close();
  }

  /** Process 1 with scullp0 open as 0, one page written, and four pages mapped at {@code $a}. */
  private void mapScullp() {
    shell.type("spawn demo", "open 1 /dev/scullp0", "write 1 0 hello",
        "a = (mmap 1 4p rw- shared 0)");
  }

  private Task process(int pid) {
    return shell.kernel().tasks().find(pid).orElseThrow();
  }

  @Test
  void spawnPrintsTheProcessAndPsListsIt() {
    assertThat(shell.type("spawn cat")).isEqualTo("process 1 (cat)");
    assertThat(shell.type("ps").lines().map(String::strip))
        .first().asString().startsWith("PID  PPID  AREAS");
    assertThat(shell.type("ps | grep cat")).contains("cat");
  }

  @Test
  void withoutProcessesPsSaysHowToStartOne() {
    assertThat(shell.type("ps")).isEqualTo("no processes; spawn starts one: spawn demo");
  }

  @Test
  void forkPrintsTheChild() {
    assertThat(shell.type("spawn demo", "fork 1")).isEqualTo("process 2 (demo)");
    assertThat(process(2).parentPid()).isEqualTo(1);
  }

  @Test
  void killSaysHowTheProcessEnded() {
    shell.type("spawn a", "spawn b");
    assertThat(shell.type("kill 1")).isEqualTo("process 1 killed by SIGTERM");
    assertThat(shell.type("kill 2 -9")).isEqualTo("process 2 killed by SIGKILL");
  }

  @Test
  void mapsIsTheKernelsTextByteForByte() {
    mapScullp();
    String text = shell.kernel().proc().maps(process(1));
    assertThat(shell.type("maps 1") + "\n").isEqualTo(text);
    assertThat(text).contains("/dev/scullp0");
  }

  @Test
  void mapsAndVmasGoThroughPipes() {
    mapScullp();
    assertThat(shell.type("maps 1 | grep scullp").lines()).hasSize(1);
    assertThat(shell.type("vmas 1 | grep RESERVED").lines()).hasSize(1);
  }

  @Test
  void vmasReturnsRowsThatScriptsCanUse() throws Exception {
    mapScullp();
    assertThat((List<?>) shell.gogo().run("vmas 1"))
        .hasSize(shell.kernel().vmas().list(process(1)).size())
        .allSatisfy(row -> assertThat(row).isInstanceOf(AreaRow.class));
    assertThat(shell.type("each (vmas 1) { echo $it ($it driver) }"))
        .contains(shell.type("echo $a") + "-")
        .contains(" scullp");
  }

  @Test
  void vmasOfAnAddressTellsAllOfItsArea() {
    mapScullp();
    assertThat(shell.type("vmas 1 ${a}+1p"))
        .contains("prot     rw-s")
        .contains("driver   scullp")
        .contains("name     /dev/scullp0")
        .contains("READ WRITE SHARED MAYREAD")
        .contains("RESERVED");
  }

  @Test
  void anAreaCanBeUnmappedByItsRow() {
    mapScullp();
    shell.type("each (vmas 1) { munmap 1 $it }");
    assertThat(shell.kernel().vmas().list(process(1))).isEmpty();
  }

  @Test
  void openPrintsTheDescriptorAndFilesListsIt() {
    shell.type("spawn demo");
    assertThat(shell.type("open 1 /dev/scullp1 r")).isEqualTo("fd 0: /dev/scullp1 (r-)");
    assertThat(shell.type("files 1"))
        .isEqualTo(
            """
            FD  MODE  POSITION  PATH
             0  r-           0  /dev/scullp1""");
  }

  @Test
  void closeClosesWhatOpenReturned() {
    shell.type("spawn demo", "f = (open 1 /dev/scullp0)");
    assertThat(shell.type("close 1 $f")).isEmpty();
    assertThat(process(1).files()).isEmpty();
  }

  @Test
  void whatIsWrittenIsRead() {
    shell.type("spawn demo", "open 1 /dev/scullp0");
    assertThat(shell.type("write 1 0 hello world")).isEqualTo("wrote 11 bytes");
    assertThat(shell.type("read 1 0 5 text at 6")).isEqualTo("world");
    assertThat(shell.type("read 1 0 at 0"))
        .isEqualTo("00000000  68 65 6c 6c 6f 20 77 6f  72 6c 64                 |hello world|");
    assertThat(shell.type("read 1 0")).isEqualTo("end of file");
    shell.type("write 1 0 at 0 hex 41 42");
    assertThat(shell.type("read 1 0 5 text at 0")).isEqualTo("ABllo");
  }

  @Test
  void whatAFileHoldsAMappingShows() {
    mapScullp();
    assertThat(shell.type("peek 1 $a string")).isEqualTo("hello");
    shell.type("poke 1 $a HE");
    assertThat(shell.type("read 1 0 5 text at 0")).isEqualTo("HEllo");
  }

  @Test
  void mmapReturnsAnAddress() throws Exception {
    shell.type("spawn demo");
    Object address = shell.gogo().run("mmap 1 4p rw-");
    assertThat(address).isInstanceOf(AddressView.class);
    assertThat(shell.type("maps 1")).contains(address.toString().substring(2) + "-");
  }

  @Test
  void mmapTakesAnAddressAndAnOffset() {
    shell.type("spawn demo", "open 1 /dev/scullp0");
    assertThat(shell.type("mmap 1 4p r-- shared,fixed 0 2p at 0x10000000")).isEqualTo("0x10000000");
    assertThat(shell.type("maps 1")).contains("10000000-10004000 r--s 00002000 ");
  }

  @Test
  void integersOfAllSizesArePeekedAndPoked() {
    shell.type("spawn demo", "a = (mmap 1 4p rw-)");
    assertThat(shell.type("poke 1 $a byte 0xff", "peek 1 $a byte")).isEqualTo("-1 (0xff)");
    assertThat(shell.type("poke 1 $a short 513", "peek 1 $a short")).isEqualTo("513 (0x0201)");
    assertThat(shell.type("poke 1 $a int -2", "peek 1 $a int")).isEqualTo("-2 (0xfffffffe)");
    assertThat(shell.type("poke 1 $a long 0x7fffffffffffffff", "peek 1 $a long"))
        .isEqualTo("9223372036854775807 (0x7fffffffffffffff)");
    assertThat(shell.type("poke 1 $a int 1 2 3", "peek 1 $a 3 int").lines().map(String::strip))
        .hasSize(4)
        .last().asString().endsWith("3  0x00000003");
  }

  @Test
  void aStringIsPokedWithItsZeroByteAndTextWithout() {
    shell.type("spawn demo", "a = (mmap 1 1p rw-)", "poke 1 $a text xxxxx", "poke 1 $a string ab");
    assertThat(shell.type("peek 1 $a 5 hex")).contains("61 62 00 78 78");
  }

  @Test
  void aNumberAloneIsNotGuessedAt() {
    shell.type("spawn demo", "a = (mmap 1 1p rw-)");
    assertThat(shell.type("poke 1 $a 42"))
        .startsWith(
            "poke: DATA '42' could be a number or text: write int 42 or text 42; example: ");
  }

  @Test
  void protectionsAdviceAndLocksReachTheKernel() {
    mapScullp();
    shell.type("b = (mmap 1 2p rw-)", "mprotect 1 $b 1p r--");
    assertThat(shell.type("vmas 1 $b")).contains("prot     r--p");
    shell.type("mlock 1 $b 1p");
    assertThat(shell.type("vmas 1 $b")).contains("LOCKED");
    shell.type("munlock 1 $b 1p");
    assertThat(shell.type("vmas 1 $b")).doesNotContain("LOCKED");
    shell.type("madvise 1 $b 1p dontfork");
    assertThat(shell.type("vmas 1 $b")).contains("DONTCOPY");
  }

  @Test
  void brkMovesTheEndOfTheHeap() {
    shell.type("spawn demo");
    long before = Long.decode(shell.type("brk 1"));
    assertThat(Long.decode(shell.type("brk 1 +2p"))).isEqualTo(before + 8192);
    assertThat(shell.type("maps 1")).contains("[heap]");
  }

  @Test
  void aHeapThatCannotGrowSaysSo() {
    shell.type("spawn demo");
    assertThat(shell.type("brk 1 7ffff7ff7000")).startsWith("brk: ENOMEM (Cannot allocate memory)");
  }

  @Test
  void mremapPrintsTheNewAddress() {
    shell.type("spawn demo", "a = (mmap 1 2p rw-)");
    assertThat(shell.type("mremap 1 $a 2p 2p maymove,fixed at 0x20000000"))
        .isEqualTo("0x20000000");
  }

  @Test
  void populateBringsPagesIn() {
    shell.type("spawn demo", "a = (mmap 1 2p rw-)");
    assertThat(shell.type("populate 1 $a 2p write")).isEmpty();
    assertThat(shell.type("munmap 1 ${a}+1p 1p", "populate 1 $a 2p"))
        .startsWith("populate: ENOMEM");
  }

  @Test
  void devicesAndDriversShowWhoUsesWhat() {
    mapScullp();
    assertThat(shell.type("devices"))
        .containsPattern("/dev/scullp0 .* present +1 +1 ");
    assertThat(shell.type("drivers").lines().toList().getLast())
        .matches("scullp +0\\.0\\.0 +present +4 +1 +1 +1 .*-");
  }

  @Test
  void aDriverThatIsGoneStaysInTheListsWhileItsAreasDo() throws Exception {
    mapScullp();
    shell.unplug();
    assertThat(shell.type("drivers")).contains("gone");
    assertThat(shell.type("vmas 1 $a")).contains("driver   scullp (gone)");
    assertThat(shell.type("peek 1 $a")).startsWith("peek: SIGBUS (BUS_ADRERR)");
    assertThat(shell.type("open 1 /dev/scullp1")).startsWith("open: ");
  }

  @Test
  void faultsAreCountedInAllAndByDevice() {
    mapScullp();
    shell.type("peek 1 $a", "peek 1 10");
    assertThat(shell.type("faults"))
        .startsWith("minor 1 (copy on write 0)  major 0  MAPERR 1  ACCERR 0  SIGBUS 0")
        .containsPattern("/dev/scullp0 +1 +0 +0")
        .contains("SIGSEGV (SEGV_MAPERR)");
    assertThat(shell.type("faults 1 last 1")).contains("read");
  }

  @Test
  void faultsOfOneProcessAreItsOwn() {
    shell.type("spawn a", "spawn b", "peek 1 10", "peek 2 20");
    assertThat(shell.type("faults 2")).contains("MAPERR 1").containsPattern("\n2 +2 +20 ")
        .doesNotContain(" 10 ");
  }

  @Test
  void signalsAreOneLineThatSaysWhatToDo() {
    mapScullp();
    assertThat(shell.type("peek 1 10"))
        .isEqualTo(
            "peek: SIGSEGV (SEGV_MAPERR) at 0x10: nothing is mapped there;"
                + " maps 1 shows what is mapped");
    assertThat(shell.type("mprotect 1 $a 1p r--", "poke 1 $a x"))
        .startsWith("poke: SIGSEGV (SEGV_ACCERR) at 0x")
        .contains("shows what is allowed")
        .doesNotContain("\n");
    assertThat(shell.type("peek 1 ${a}+3p"))
        .startsWith("peek: SIGBUS (BUS_ADRERR) at 0x")
        .contains("shows the area and its driver")
        .doesNotContain("\n");
  }

  @Test
  void errorNumbersAreOneLineThatSaysWhatToDo() {
    shell.type("spawn demo");
    assertThat(shell.type("close 1 7"))
        .startsWith("close: EBADF (Bad file descriptor): ")
        .endsWith("; files 1 lists its descriptors")
        .doesNotContain("\n");
    assertThat(shell.type("open 1 /dev/nothing"))
        .startsWith("open: ENOENT (No such file or directory): ")
        .endsWith("; devices lists what can be opened");
    assertThat(shell.type("mmap 1 0 rw-")).startsWith("mmap: EINVAL (Invalid argument): ");
  }

  @Test
  void wrongArgumentsAreOneLineWithAnExample() {
    shell.type("spawn demo");
    assertThat(shell.type("mmap 1"))
        .isEqualTo("mmap: LENGTH is missing; example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("mmap"))
        .isEqualTo("mmap: PID is missing; example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("maps nobody"))
        .isEqualTo("maps: PID 'nobody' is not a process number; example: maps 1");
    assertThat(shell.type("mmap 9 4p rw-"))
        .isEqualTo(
            "mmap: PID '9' is not a running process (ps lists them);"
                + " example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("mmap 1 4q rw-"))
        .isEqualTo(
            "mmap: LENGTH '4q' is not a size: write 4096, 16k, 2M or 4p (pages);"
                + " example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("mmap 1 4p rw- shraed"))
        .isEqualTo(
            "mmap: FLAGS 'shraed' is not known: did you mean shared?"
                + " example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("mmap 1 4p rw- private"))
        .isEqualTo("mmap: FLAGS 'private' needs an FD behind it, or anonymous: private,anonymous;"
            + " example: mmap 1 8p rw- shared 0");
    assertThat(shell.type("munmap 1 0x1000 1p 2p"))
        .isEqualTo("munmap: '2p' is too much; example: munmap 1 0x7ffff7ff4000 2p");
  }

  @Test
  void wordsThatLookLikeNumbersOfJavaAreTakenAsTheyStand() {
    shell.type("spawn demo");
    // Gogo would make doubles of these: 4f is 4.0, 1e3 is 1000.0.
    assertThat(shell.type("munmap 1 4f 1p")).startsWith("munmap: EINVAL");
    assertThat(shell.type("peek 1 1e3")).contains("at 0x1e3");
  }

  @Test
  void aVariableWithoutValueIsSaidToHaveNone() {
    shell.type("spawn demo");
    assertThat(shell.type("maps $nothing"))
        .isEqualTo("maps: a word has no value: is the variable in it set? example: maps 1");
    assertThat(shell.type("peek 1 $nothing"))
        .startsWith("peek: a word has no value: is the variable in it set?");
  }

  @Test
  void theProcessInUseIsLeftOut() {
    shell.gogo().session().put("prompt", "faultline> ");
    shell.type("spawn a", "spawn b", "use 2");
    assertThat(shell.gogo().session().get("prompt")).isEqualTo("faultline:2> ");
    String address = shell.type("mmap 1p rw-");
    assertThat(shell.type("maps")).isEqualTo(shell.type("maps 2")).contains(address.substring(2));
    assertThat(shell.type("poke " + address + " hi", "peek " + address + " string"))
        .isEqualTo("hi");
    assertThat(shell.type("mmap @1 1p rw- private,anonymous,fixed at 0x30000000"))
        .isEqualTo("0x30000000");
    assertThat(shell.type("maps 1")).contains("30000000");
    shell.type("use none");
    assertThat(shell.gogo().session().get("prompt")).isEqualTo("faultline> ");
    assertThat(shell.type("maps"))
        .isEqualTo("maps: PID is missing (or choose one: use PID); example: maps 1");
  }

  @Test
  void aPidThatIsWrittenThoughOneIsInUseIsPointedOut() {
    shell.type("spawn a", "use 1");
    assertThat(shell.type("mmap 1 4p rw-"))
        .contains("(process 1 is in use: leave the PID out, or write @1)");
  }

  @Test
  void aProcessInUseThatIsGoneIsSaidToBe() {
    shell.type("spawn a", "use 1", "kill 1");
    assertThat(shell.type("maps"))
        .isEqualTo("maps: process 1, which was in use, is gone; choose another: use PID");
  }

  @Test
  void theTraceShowsWhatADriverIsAskedBeforeTheResult() {
    mapScullp();
    shell.type("trace on");
    String answer = shell.type("peek 1 $a 5");
    assertThat(answer.lines().toList())
        .hasSize(2)
        .satisfies(
            lines -> {
              assertThat(lines.getFirst()).startsWith("[1] nopage   /dev/scullp0 ");
              assertThat(lines.getLast()).contains("|hello|");
            });
    shell.type("trace off");
    assertThat(shell.type("fork 1")).isEqualTo("process 2 (demo)");
  }

  @Test
  void theTraceOfOneProcessAndSomeKindsShowsNoOther() {
    mapScullp();
    shell.type("fork 1", "trace on 2 close");
    assertThat(shell.type("munmap 1 $a 4p")).isEmpty();
    assertThat(shell.type("munmap 2 $a 4p")).startsWith("[2] close    /dev/scullp0 ");
  }

  /** Help is worth nothing if what it shows does not work. */
  @TestFactory
  List<DynamicTest> everyExampleWorksAsItStands(@TempDir Path folder) {
    return Catalogue.typed().stream()
        .filter(command -> command != Help.class && command != VmHelp.class)
        .map(Manual::of)
        .flatMap(manual -> manual.examples().stream())
        .map(example -> DynamicTest.dynamicTest(example, () -> tryExample(example, folder)))
        .toList();
  }

  private static void tryExample(String example, Path folder) throws Exception {
    Files.write(folder.resolve("file"), new byte[8192]);
    try (BootedShell fresh = new BootedShell(); AutoCloseable mount = fresh.mount(folder)) {
      assertThat(mount).isNotNull();
      fresh.kernel().devices().register(
          DeviceRegistration.of("zero"), new MmapProvider() {});
      fresh.type(
          "spawn demo", "open 1 /dev/scullp0", "write 1 0 " + "x".repeat(4096),
          "write 1 0 " + "y".repeat(4096), "mmap 1 2p rw- shared,fixed 0 at 0x7ffff7ff4000",
          "read 1 0 1 at 0", "open 1 /host/data/file",
          "mmap 1 2p rw- shared,fixed 1 at 0x7ffff7e00000");
      fresh.zram("/dev/zram0");
      fresh.zram("/dev/zram1");
      fresh.kernel().swaps().swapoff("/dev/zram1");
      fresh.gogo().session().currentDir(folder);
      fresh.gogo().run(example);
    }
  }

  @Test
  void whatIsStoredThroughAMappingReachesTheHostsFile(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("file"), "x".repeat(5000));
    try (AutoCloseable mount = shell.mount(folder)) {
      assertThat(mount).isNotNull();
      shell.type("spawn demo", "open 1 /host/data/file", "a = (mmap 1 2p rw- shared 0)");
      shell.type("poke 1 $a hello");
      assertThat(shell.type("cache"))
          .isEqualTo("pages of files: cached 2 (8k), dirty 1, writeback 0");
      assertThat(Files.readString(folder.resolve("file"))).startsWith("xxxxx");
      shell.type("msync 1 $a 2p");
      assertThat(Files.readString(folder.resolve("file"))).startsWith("hello").hasSize(5000);
      shell.type("truncate 1 0 100");
      assertThat(Files.size(folder.resolve("file"))).isEqualTo(100);
      assertThat(shell.type("write 1 0 at 100 end", "sync", "cache"))
          .isEqualTo("pages of files: cached 1 (4k), dirty 0, writeback 0");
      assertThat(Files.readString(folder.resolve("file"))).endsWith("xend");
    }
  }

  @Test
  void everyTypedCommandIsInTheBootedShell() {
    for (Class<? extends Command> command : Catalogue.typed()) {
      String name = Manual.of(command).name();
      if (!name.endsWith("help")) {
        assertThat(shell.gogo().session().get("faultline:" + name)).as(name).isNotNull();
      }
    }
  }

  @Test
  void coreWritesAFileInTheCurrentFolderAndTheProcessLivesOn(@TempDir Path folder)
      throws Exception {
    mapScullp();
    shell.gogo().session().currentDir(folder);
    assertThat(shell.type("core 1 core.demo"))
        .matches(folder + "/core.demo: 8 segments, \\d+ bytes \\(\\d+ written, the rest holes\\)");
    assertThat(ElfCore.read(folder.resolve("core.demo")).files())
        .anyMatch(file -> file.path().equals("/dev/scullp0"));
    assertThat(process(1).alive()).isTrue();
  }

  @Test
  void aCoreThatCannotBeWrittenIsTold(@TempDir Path folder) {
    shell.type("spawn demo");
    assertThat(shell.type("core 1 " + folder + "/nowhere/core"))
        .endsWith("core: " + folder + "/nowhere/core: " + folder + "/nowhere: is no folder");
    assertThat(shell.type("core 1")).contains("core: FILE is missing");
  }

  @Test
  void coredumpFilterPrintsTheKernelsTextAndSetsIt() {
    shell.type("spawn demo");
    assertThat(shell.type("coredump_filter 1")).isEqualTo("00000033");
    assertThat(shell.type("coredump_filter 1 0x3f", "coredump_filter 1")).isEqualTo("0000003f");
    assertThat(shell.type("coredump_filter 1 010", "coredump_filter 1")).isEqualTo("00000008");
    assertThat(shell.type("coredump_filter 1 rw")).contains("MASK 'rw' is no mask");
  }

  @Test
  void swapIsSwitchedOffAndOnByName() throws Exception {
    shell.zram("/dev/zram0");
    shell.type(
        "spawn demo", "mmap 1 16p rw- private,anonymous,fixed at 0x10000", "poke 1 0x10000 hello",
        "madvise 1 0x10000 16p pageout");
    assertThat(shell.type("swaps")).contains("/dev/zram0");
    assertThat(shell.type("swapoff /dev/zram0")).matches(
        "/dev/zram0 is off: 1 pages moved home in [0-9.]+ s");
    assertThat(shell.type("swaps")).doesNotContain("zram");
    assertThat(shell.type("peek 1 0x10000 5")).contains("hello");
    assertThat(shell.type("swapoff /dev/zram0")).contains("EINVAL").contains("[/dev/zram0]");
    assertThat(shell.type("swapon /dev/zram0"))
        .isEqualTo("/dev/zram0 is on: 1M, 0 used, priority 100");
    assertThat(shell.type("swapon /dev/zram0")).contains("EBUSY").contains("in use already");
    assertThat(shell.type("swapon")).contains("SWAP-DEVICE is missing");
  }

  @Test
  void oomScoreAdjIsShownAndSet() {
    shell.type("spawn demo");
    assertThat(shell.type("oom_score_adj 1")).isEqualTo("0");
    assertThat(shell.type("oom_score_adj 1 -1000", "oom_score_adj 1")).isEqualTo("-1000");
    assertThat(shell.type("oom_score_adj 1 1001"))
        .contains("ADJUSTMENT '1001' is no number in -1000..1000");
  }

  @Test
  void withACorePatternARefusedAccessEndsItsProcess(@TempDir Path folder) throws Exception {
    assertThat(shell.type("core_pattern")).isEqualTo("off");
    shell.type("core_pattern '" + folder + "/core.%e.%p'");
    assertThat(shell.type("core_pattern")).isEqualTo(folder + "/core.%e.%p");
    shell.type("spawn demo");
    assertThat(shell.type("poke 1 0x10 x")).contains("SIGSEGV (SEGV_MAPERR) at 0x10");
    assertThat(shell.type("ps")).startsWith("no processes");
    assertThat(ElfCore.read(folder.resolve("core.demo.1")).segments()).isNotEmpty();
    assertThat(shell.type("core_pattern off", "core_pattern")).isEqualTo("off");
    assertThat(shell.type("core_pattern '|cat'")).contains("cores go to files alone");
  }
}
