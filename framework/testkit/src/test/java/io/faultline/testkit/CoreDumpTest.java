// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.CoreFilter;
import io.faultline.kernel.CoreProgress;
import io.faultline.kernel.CoreReport;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import io.faultline.testkit.ElfCore.Segment;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a core holds, read back by an independent reader. */
@FaultlineTest
class CoreDumpTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final long VSYSCALL = 0xffff_ffff_ff60_0000L;
  private static final int NT_PRSTATUS = 1;
  private static final int NT_PRPSINFO = 3;
  private static final int NT_AUXV = 6;
  private static final int NT_SIGINFO = 0x53494749;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  private static final int ANONYMOUS = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS;

  private final BootedKernel kernel;
  private final Program program;

  @TempDir Path folder;

  CoreDumpTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private ElfCore dump() throws IOException, ErrnoException {
    return dump(program.task());
  }

  private ElfCore dump(Task task) throws IOException, ErrnoException {
    Path file = folder.resolve("core");
    kernel.cores().dump(task, file, CoreProgress.NONE);
    kernel.validate();
    return ElfCore.read(file);
  }

  private List<Path> left() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  private long anonymous(int pages) throws ErrnoException {
    return program.mmap(-1, (long) pages * PAGE, RW, ANONYMOUS, 0);
  }

  private RecordingDriver driver() throws ErrnoException {
    RecordingDriver driver = new RecordingDriver(kernel.pages("recorder"));
    kernel.devices().register(DeviceRegistration.of("recorder"), driver);
    return driver;
  }

  private static String text(ByteBuffer bytes, int offset, int length) {
    byte[] found = new byte[length];
    bytes.get(offset, found);
    String text = new String(found, StandardCharsets.ISO_8859_1);
    return text.substring(0, text.indexOf('\0'));
  }

  @Test
  void aSegmentStandsForEachAreaInOrderAndForTheVsyscallPage() throws Exception {
    anonymous(3);
    program.mprotect(anonymous(5), PAGE, Mman.PROT_READ);
    List<String> expected = new ArrayList<>();
    for (Vma area : program.areas()) {
      expected.add(
          "%x-%x %s".formatted(
              area.start(), area.end(),
              (area.has(VmFlag.READ) ? "r" : "-") + (area.has(VmFlag.WRITE) ? "w" : "-")
                  + (area.has(VmFlag.EXEC) ? "x" : "-")));
    }
    expected.add("ffffffffff600000-ffffffffff601000 --x");

    assertThat(dump().segments())
        .extracting(s -> s.toString().substring(0, s.toString().lastIndexOf(' ')))
        .isEqualTo(expected);
  }

  @Test
  void whatWasWrittenIsReadBack() throws Exception {
    long address = anonymous(300);
    program.poke(address + 5, "first");
    program.poke(address + 200L * PAGE - 3, "across");
    program.poke(address + 300L * PAGE - 4, "last");
    ElfCore core = dump();
    assertThat(new String(core.memory(address + 5, 5))).isEqualTo("first");
    assertThat(new String(core.memory(address + 200L * PAGE - 3, 6))).isEqualTo("across");
    assertThat(new String(core.memory(address + 300L * PAGE - 4, 4))).isEqualTo("last");
    assertThat(core.memory(address + PAGE, PAGE)).containsOnly(0);
  }

  @Test
  void pagesThatNobodyTouchedAreHolesAndStayAway() throws Exception {
    long mebibyte = 256;
    long big = anonymous((int) (64 * mebibyte));
    program.poke(big + 7L * PAGE, "here");
    long read = anonymous(1);
    assertThat(program.memory().getByte(read)).isZero();
    long shared = program.mmap(
        -1, 64 * mebibyte * PAGE, RW, Mman.MAP_SHARED | Mman.MAP_ANONYMOUS, 0);
    program.poke(shared, "shared");
    var before = kernel.frames();
    Path file = folder.resolve("core");

    CoreReport report = kernel.cores().dump(program.task(), file, CoreProgress.NONE);

    assertThat(kernel.frames().anonymous()).isEqualTo(before.anonymous());
    assertThat(kernel.frames().shmem()).isEqualTo(before.shmem());
    assertThat(report.bytes()).isEqualTo(Files.size(file)).isGreaterThan(128 << 20);
    assertThat(report.written()).isLessThan(64 << 10);
    ElfCore core = ElfCore.read(file);
    assertThat(new String(core.memory(big + 7L * PAGE, 4))).isEqualTo("here");
    assertThat(new String(core.memory(shared, 6))).isEqualTo("shared");
    assertThat(core.memory(shared + 63L * mebibyte * PAGE, PAGE)).containsOnly(0);
  }

  @Test
  void anonymousMemoryThatWasNeverTouchedHasNoContents() throws Exception {
    long never = anonymous(4);
    Segment segment = dump().segment(never);
    assertThat(segment.dumped()).isZero();
    assertThat(segment.size()).isGreaterThanOrEqualTo(4 * PAGE);
  }

  @Test
  void memoryWithoutRightsIsDumpedToo() throws Exception {
    long address = anonymous(1);
    program.poke(address, "hidden");
    program.mprotect(address, PAGE, Mman.PROT_NONE);
    ElfCore core = dump();
    assertThat(core.segment(address).flags()).isEqualTo("---");
    assertThat(new String(core.memory(address, 6))).isEqualTo("hidden");
  }

  @Test
  void anAreaThatIsNotToBeDumpedHasNoContents() throws Exception {
    long address = anonymous(2);
    program.poke(address, "secret");
    program.madvise(address, 2 * PAGE, Mman.MADV_DONTDUMP);
    assertThat(dump().segment(address).dumped()).isZero();
    program.madvise(address, 2 * PAGE, Mman.MADV_DODUMP);
    assertThat(new String(dump().memory(address, 6))).isEqualTo("secret");
  }

  @ParameterizedTest
  @CsvSource({"IO", "RESERVED", "DONTDUMP"})
  void aDriversAreaThatIsNotMemoryHasNoContentsWhateverTheFilter(VmFlag flag) throws Exception {
    RecordingDriver driver = driver();
    driver.completes(
        request -> {
          request.addFlags(flag);
          request.setOperations(driver.nopageAlone());
        });
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, 2 * PAGE, 0);
    program.poke(address, "device");
    driver.take();
    kernel.cores().setFilter(program.task(), CoreFilter.ALL);
    Segment segment = dump().segments().stream().filter(s -> s.start() == address)
        .findFirst().orElseThrow();
    assertThat(segment.dumped()).isZero();
    // Where Linux has memory without contents, gdb shows zeros: a device's registers are no memory.
    assertThat(segment.size()).isEqualTo(flag == VmFlag.IO ? 0 : 2 * PAGE);
    assertThat(driver.take()).isEmpty();
  }

  @Test
  void pagesOfAMappedFileAreReadThroughItsDriverWhereTheFilterSaysSo() throws Exception {
    RecordingDriver driver = driver();
    driver.completes(request -> request.setOperations(driver.nopageAlone()));
    driver.page(1).segment().setString(0, "in the device");
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long address = program.mmapAt(
        RecordingDriver.BASE, fd, 2 * PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, 0);
    driver.take();
    assertThat(dump().segment(address).dumped()).isZero();
    assertThat(driver.take()).isEmpty();

    kernel.cores().setFilter(program.task(), CoreFilter.MAPPED_SHARED.mask());
    ElfCore core = dump();
    assertThat(new String(core.memory(address + PAGE, 13))).isEqualTo("in the device");
    assertThat(driver.take()).containsExactly("nopage 0", "nopage 1");
  }

  @Test
  void aPrivateCopyOfAFileIsAnonymousMemory() throws Exception {
    RecordingDriver driver = driver();
    driver.completes(request -> request.setOperations(driver.nopageAlone()));
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long untouched = program.mmapPrivate(fd, 2 * PAGE, 0);
    long written = program.mmapPrivate(fd, 2 * PAGE, 4 * PAGE);
    program.poke(written, "mine");
    ElfCore core = dump();
    assertThat(core.segment(untouched).dumped()).isZero();
    assertThat(core.segment(written).dumped()).isEqualTo(2 * PAGE);
    assertThat(new String(core.memory(written, 4))).isEqualTo("mine");
  }

  /** Anonymous private and shared, a file private and shared: bit by bit. */
  @ParameterizedTest
  @CsvSource({
    "0, ----", "1, p---", "2, -s--", "4, --f-", "8, ---d", "3, ps--", "0x1ff, psfd",
  })
  void theFilterChoosesKindsOfAreas(String mask, String dumped) throws Exception {
    RecordingDriver driver = driver();
    driver.completes(request -> request.setOperations(driver.nopageAlone()));
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long[] areas = {
      anonymous(1),
      program.mmap(-1, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_ANONYMOUS, 0),
      program.mmap(fd, PAGE, Mman.PROT_READ, Mman.MAP_PRIVATE, 0),
      program.mmapShared(fd, PAGE, 0),
    };
    program.poke(areas[0], "x");
    kernel.cores().setFilter(program.task(), Integer.decode(mask));
    ElfCore core = dump();
    StringBuilder found = new StringBuilder();
    for (int i = 0; i < areas.length; i++) {
      found.append(core.segment(areas[i]).dumped() > 0 ? "psfd".charAt(i) : '-');
    }
    assertThat(found.toString()).isEqualTo(dumped);
  }

  @Test
  void theProgramsFirstPageIsDumpedForItsElfHeader() throws Exception {
    Vma text = program.areas().getFirst();
    assertThat(dump().segment(text.start()).dumped()).isEqualTo(PAGE);
    kernel.cores().setFilter(program.task(), CoreFilter.ANONYMOUS_PRIVATE.mask());
    assertThat(dump().segment(text.start()).dumped()).isZero();
  }

  @Test
  void theKernelsOwnMappingsAreAlwaysThere() throws Exception {
    kernel.cores().setFilter(program.task(), 0);
    ElfCore core = dump();
    for (String name : List.of("[vvar]", "[vvar_vclock]", "[vdso]")) {
      String line = kernel.proc().maps(program.task()).lines()
          .filter(l -> l.endsWith(name)).findFirst().orElseThrow();
      Segment segment =
          core.segment(Long.parseUnsignedLong(line, 0, line.indexOf('-'), 16));
      assertThat(segment.dumped()).as(name).isEqualTo(segment.size());
    }
    assertThat(core.segment(VSYSCALL).dumped()).isEqualTo(PAGE);
  }

  @Test
  void theFilterIsInheritedAndKeepsOnlyTheBitsThatThereAre() throws Exception {
    assertThat(kernel.cores().filter(program.task())).isEqualTo(0x33);
    kernel.cores().setFilter(program.task(), 0xffff_ff7f);
    assertThat(kernel.cores().filter(program.task())).isEqualTo(0x17f);
    assertThat(kernel.cores().filter(program.fork().task())).isEqualTo(0x17f);
  }

  @Test
  void notesSayWhoItIs() throws Exception {
    Program child = program.fork();
    ElfCore core = dump(child.task());
    assertThat(core.notes()).extracting(n -> n.name() + " " + Integer.toHexString(n.type()))
        .containsExactly("CORE 1", "CORE 3", "CORE 6", "CORE 46494c45");
    ByteBuffer status = core.note(NT_PRSTATUS);
    assertThat(status.limit()).isEqualTo(336);
    assertThat(status.getInt(32)).isEqualTo(child.task().pid());
    assertThat(status.getInt(36)).isEqualTo(program.task().pid());
    assertThat(status.getShort(12)).isZero();
    ByteBuffer information = core.note(NT_PRPSINFO);
    assertThat(information.limit()).isEqualTo(136);
    assertThat(information.getInt(24)).isEqualTo(child.task().pid());
    assertThat(text(information, 40, 16)).isEqualTo("test");
    assertThat(text(information, 56, 80)).isEqualTo("test");
  }

  @Test
  void theAuxiliaryVectorHasWhatIsKnown() throws Exception {
    ByteBuffer vector = dump().note(NT_AUXV);
    StringBuilder keys = new StringBuilder();
    while (vector.hasRemaining()) {
      long key = vector.getLong();
      long value = vector.getLong();
      keys.append(key).append(' ');
      if (key == 6) {
        assertThat(value).isEqualTo(4096);
      } else if (key == 9) {
        assertThat(value).isEqualTo(program.areas().getFirst().start());
      }
    }
    assertThat(keys).hasToString("6 9 11 12 13 14 17 23 0 ");
  }

  @Test
  void mappedFilesAreListedWithTheirNames() throws Exception {
    driver();
    int fd = program.open("/dev/recorder", AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, 2 * PAGE, 3 * PAGE);
    ElfCore core = dump();
    List<String> expected = new ArrayList<>();
    for (Vma area : program.areas()) {
      var file = area.file();
      if (file != null) {
        expected.add(
            "%x-%x %x %s".formatted(
                area.start(), area.end(), area.pageOffset(), file.inode().path()));
      }
    }
    assertThat(core.files()).extracting(Object::toString).isEqualTo(expected).hasSize(3);
    assertThat(core.files()).anyMatch(
        f -> f.start() == address && f.pageOffset() == 3 && f.path().equals("/dev/recorder"));
  }

  @Test
  void aStreamHasTheBytesOfTheFile() throws Exception {
    program.poke(anonymous(100) + 50L * PAGE, "streamed");
    Path file = folder.resolve("core");
    kernel.cores().dump(program.task(), file, CoreProgress.NONE);
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    kernel.cores().dump(program.task(), Channels.newChannel(stream), CoreProgress.NONE);
    assertThat(stream.toByteArray()).isEqualTo(Files.readAllBytes(file));
  }

  @Test
  void progressGrowsToTheLengthOfTheFile() throws Exception {
    program.poke(anonymous(1000), "x");
    List<Long> done = new ArrayList<>();
    Path file = folder.resolve("core");
    kernel.cores().dump(program.task(), file, (now, total) -> {
      done.add(now);
      assertThat(total).isGreaterThan(1000 * PAGE);
    });
    assertThat(done).isSorted().hasSizeGreaterThan(10);
    assertThat(done.getLast()).isEqualTo(Files.size(file));
  }

  @Test
  void theFileIsItsOwnersAndTakesThePlaceOfAnotherOne() throws Exception {
    Path file = folder.resolve("core");
    Files.writeString(file, "old");
    dump();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(left()).containsExactly(file);
  }

  @Test
  void aProcessThatEndsMeanwhileLeavesNoHalfFile() throws Exception {
    program.poke(anonymous(1000), "x");
    assertThatThrownBy(
        () -> kernel.cores().dump(
            program.task(), folder.resolve("core"),
            (done, total) -> kernel.tasks().kill(program.task(), Signal.SIGKILL)))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    assertThat(left()).isEmpty();
  }

  @Test
  void whatTheProgressThrowsEndsTheDumpAndLeavesNoHalfFile() throws Exception {
    assertThatThrownBy(
        () -> kernel.cores().dump(program.task(), folder.resolve("core"), (done, total) -> {
          throw new IllegalStateException("enough");
        })).hasMessage("enough");
    assertThat(left()).isEmpty();
  }

  @Test
  void aFolderThatIsNotThereIsNamed() {
    assertThatThrownBy(
        () -> kernel.cores().dump(
            program.task(), folder.resolve("nowhere/core"), CoreProgress.NONE))
        .isInstanceOf(IOException.class).hasMessageContaining("nowhere: is no folder");
  }

  @Test
  void aChannelThatFailsEndsTheDump() throws Exception {
    long address = anonymous(1000);
    for (int i = 0; i < 1000; i++) {
      program.poke(address + (long) i * PAGE, "full");
    }
    WritableByteChannel full = new WritableByteChannel() {
      private int room = 1 << 20;

      @Override
      public int write(ByteBuffer bytes) throws IOException {
        if (room < bytes.remaining()) {
          throw new IOException("No space left on device");
        }
        int length = bytes.remaining();
        room -= length;
        bytes.position(bytes.limit());
        return length;
      }

      @Override
      public boolean isOpen() {
        return true;
      }

      @Override
      public void close() {
        // Nothing is held.
      }
    };
    assertThatThrownBy(() -> kernel.cores().dump(program.task(), full, CoreProgress.NONE))
        .isInstanceOf(IOException.class).hasMessageContaining("No space left");
    kernel.validate();
  }

  @Test
  void aFullDiskIsAnErrorAndLeavesNoHalfFile() throws Exception {
    long address = anonymous(1000);
    for (int i = 0; i < 1000; i++) {
      program.poke(address + (long) i * PAGE, "full");
    }
    Path disk = Files.createDirectory(folder.resolve("disk"));
    boolean mounted =
        succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString());
    if (!mounted) {
      System.out.println("aFullDiskIsAnErrorAndLeavesNoHalfFile: skipped: cannot mount a tmpfs");
    }
    assumeThat(mounted).isTrue();
    try {
      assertThatThrownBy(
          () -> kernel.cores().dump(program.task(), disk.resolve("core"), CoreProgress.NONE))
          .isInstanceOf(IOException.class).hasMessageContaining("No space left");
      try (Stream<Path> files = Files.list(disk)) {
        assertThat(files).isEmpty();
      }
    } finally {
      assertThat(succeeds("umount", disk.toString())).isTrue();
    }
  }

  private static boolean succeeds(String... command) throws IOException, InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      return process.waitFor(5, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (IOException notInstalled) {
      return false;
    }
  }

  @Test
  void dyingProcessesDumpOnlyWhenThatIsSet() throws Exception {
    assertThat(kernel.cores().pattern()).isEmpty();
    kernel.tasks().kill(program.task(), Signal.SIGSEGV);
    assertThat(program.task().end()).isEqualTo("killed by SIGSEGV");
    assertThat(left()).isEmpty();
  }

  @Test
  void aRefusedAccessDumpsWithItsSignalAndEndsTheProcess() throws Exception {
    kernel.cores().setPattern(folder + "/%e.%p.%s.%%%q");
    long address = anonymous(1);
    program.poke(address, "last words");
    assertThatThrownBy(() -> program.memory().putByte(0x1234_5000, (byte) 1))
        .isInstanceOf(SignalException.class);

    assertThat(program.task().alive()).isFalse();
    assertThat(program.task().end()).isEqualTo("killed by SIGSEGV (core dumped)");
    assertThat(left()).containsExactly(folder.resolve("test.1.11.%"));
    ElfCore core = ElfCore.read(left().getFirst());
    assertThat(new String(core.memory(address, 10))).isEqualTo("last words");
    ByteBuffer information = core.note(NT_SIGINFO);
    assertThat(information.getInt(0)).isEqualTo(11);
    assertThat(information.getInt(8)).as("SEGV_MAPERR").isEqualTo(1);
    assertThat(information.getLong(16)).isEqualTo(0x1234_5000);
    assertThat(core.note(NT_PRSTATUS).getShort(12)).isEqualTo((short) 11);
    assertThat(kernel.problems()).singleElement().asString()
        .startsWith("test[1]: SIGSEGV (SEGV_MAPERR) at 0x12345000")
        .contains("core dumped to " + folder);
  }

  @Test
  void anInstructionThatCannotBeFetchedIsWhereTheProcessStands() throws Exception {
    kernel.cores().setPattern(folder + "/core");
    long address = anonymous(1);
    assertThatThrownBy(() -> program.memory().touch(address, Access.EXECUTE))
        .isInstanceOf(SignalException.class);
    ByteBuffer status = ElfCore.read(folder.resolve("core")).note(NT_PRSTATUS)
        .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(status.getLong(112 + 16 * 8)).isEqualTo(address);
  }

  @Test
  void aHandledSignalIsTheProgramsOwnAffair() throws Exception {
    kernel.cores().setPattern(folder + "/core");
    program.task().setHandledSignals(Set.of(Signal.SIGSEGV));
    Program child = program.fork();
    assertThatThrownBy(() -> program.memory().getByte(8)).isInstanceOf(SignalException.class);
    assertThatThrownBy(() -> child.memory().getByte(8)).isInstanceOf(SignalException.class);
    assertThat(program.task().alive()).isTrue();
    assertThat(child.task().alive()).isTrue();
    assertThat(left()).isEmpty();
    assertThatThrownBy(() -> program.task().setHandledSignals(Set.of(Signal.SIGKILL)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSignalThatSomebodySentDumpsToo() throws Exception {
    kernel.cores().setPattern(folder + "/core.%p");
    kernel.tasks().kill(program.task(), Signal.SIGBUS);
    ByteBuffer information = ElfCore.read(folder.resolve("core.1")).note(NT_SIGINFO);
    assertThat(information.getInt(0)).isEqualTo(7);
    assertThat(information.getInt(8)).as("SI_USER").isZero();
    kernel.tasks().kill(kernel.spawn().task(), Signal.SIGTERM);
    assertThat(left()).hasSize(1);
  }

  @Test
  void aCoreThatCannotBeWrittenKeepsNobodyFromDying() throws Exception {
    kernel.cores().setPattern(folder + "/nowhere/core");
    kernel.tasks().kill(program.task(), Signal.SIGSEGV);
    assertThat(program.task().end()).isEqualTo("killed by SIGSEGV");
    assertThat(kernel.problems()).singleElement().asString()
        .startsWith("test[1]: SIGSEGV: no core: ").contains("is no folder");
  }

  @Test
  void aNameCannotLeadToAnotherFolder() throws Exception {
    kernel.cores().setPattern(folder + "/%e");
    kernel.tasks().kill(kernel.tasks().spawn("../../x"), Signal.SIGSEGV);
    assertThat(left()).containsExactly(folder.resolve("..!..!x"));
  }

  @ParameterizedTest
  @CsvSource({"|/bin/cat", "@/run/socket"})
  void coresGoToFilesAlone(String pattern) {
    assertThatThrownBy(() -> kernel.cores().setPattern(pattern))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("files alone");
  }
}
