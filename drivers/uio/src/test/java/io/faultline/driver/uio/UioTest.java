// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.DeviceMemory;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What {@code drivers/uio/uio.c} of Linux promises. */
@FaultlineTest
@Timeout(600)
class UioTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration FIRST =
      new DeviceRegistration("uio0", 0, 0, 1, 2000, "uio", "1.0.0");

  private static final DeviceRegistration SHIPPED =
      new DeviceRegistration("uio1", 0, 0, 1, 2000, "shipped", "1.0.0");

  private final BootedKernel kernel;
  private final DeviceMemory memory;
  private final UioDevice device;
  private final Uio uio;
  private AutoCloseable registered;
  private final Program program;
  private final int fd;

  UioTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    memory = kernel.memory("uio");
    device = device();
    uio = new Uio(device, 0);
    registered = kernel.devices().register(FIRST, uio);
    program = kernel.spawn();
    fd = program.open("/dev/uio0", AccessMode.READ_WRITE);
  }

  /** Logical 4, physical 8, not there, physical of 1.5 pages. */
  private UioDevice device() throws ErrnoException {
    UioMap odd = UioMap.physical("odd", memory.run("odd", 1));
    return new UioDevice(
        memory,
        List.of(
            UioMap.logical("buffers", memory.region("buffers", 4), 0),
            UioMap.physical("frames", memory.run("frames", 3)),
            new UioMap("", UioMap.Type.LOGICAL, 0, 0, 0, List.of()),
            new UioMap(odd.name(), odd.type(), odd.address(), 0, PAGE * 3 / 2, odd.pages()),
            new UioMap(
                "unaligned", odd.type(), odd.address() + 8, 0, PAGE, odd.pages())));
  }

  private long map(int index, int pages) throws ErrnoException {
    return program.mmapShared(fd, (long) pages * PAGE, (long) index * PAGE);
  }

  private String read(Program who, int file) throws ErrnoException {
    return who.read(file, 0, 4);
  }

  // ---- maps -------------------------------------------------------------------------------------

  @Test
  void theOffsetSelectsAMapAndShowsItFromItsBeginning() throws Exception {
    long buffers = map(0, 4);
    long frames = map(1, 8);
    program.poke(buffers, "map 0, page 0");
    program.poke(buffers + PAGE, "map 0, page 1");
    program.poke(frames, "map 1, page 0");
    program.poke(frames + 7 * PAGE, "map 1, page 7");
    assertThat(program.peek(map(0, 2) + PAGE, 13)).isEqualTo("map 0, page 1");
    assertThat(program.peek(map(1, 1), 13)).isEqualTo("map 1, page 0");
    assertThat(text(device.maps().get(0), 0)).isEqualTo("map 0, page 0");
    assertThat(text(device.maps().get(1), 7)).isEqualTo("map 1, page 7");
  }

  private static String text(UioMap map, int page) {
    return map.pages().get(page).segment().getString(0);
  }

  @Test
  void aLogicalMapFaultsAndAPhysicalOneIsThereFromTheStart() throws Exception {
    long buffers = map(0, 4);
    long frames = map(1, 8);
    assertThat(program.area(buffers).flags().has(VmFlag.PFNMAP)).isFalse();
    assertThat(program.area(buffers).flags()).satisfies(
        flags -> assertThat(flags.has(VmFlag.DONTEXPAND) && flags.has(VmFlag.DONTDUMP)).isTrue());
    assertThat(program.area(frames).flags()).satisfies(
        flags -> assertThat(flags.has(VmFlag.PFNMAP) && flags.has(VmFlag.IO)).isTrue());
    assertThat(program.area(frames).pageOffset()).as("the map's number").isEqualTo(1);
    long before = faults();
    program.memory().putByte(frames, (byte) 1);
    assertThat(faults()).isEqualTo(before);
    program.memory().putByte(buffers, (byte) 1);
    assertThat(faults()).isEqualTo(before + 1);
  }

  private long faults() {
    return kernel.devices().find("/dev/uio0").orElseThrow().faults();
  }

  @Test
  void moreThanTheMapHasIsRefused() {
    assertFails(Errno.EINVAL, () -> map(0, 5));
    assertFails(Errno.EINVAL, () -> map(1, 9));
  }

  @Test
  void aMapThatIsNotThereIsRefused() {
    assertFails(Errno.EINVAL, () -> map(2, 1));
    assertFails(Errno.EINVAL, () -> map(5, 1));
    assertFails(Errno.EINVAL, () -> program.mmapShared(fd, PAGE, 1L << 50));
  }

  @Test
  void theLastPartOfAPageCannotBeMappedWhereFramesAre() throws Exception {
    long odd = map(3, 1);
    program.poke(odd, "a whole page");
    assertFails(Errno.EINVAL, () -> map(3, 2));
  }

  @Test
  void framesThatDoNotBeginWithAPageAreNoDevice() {
    assertFails(Errno.ENODEV, () -> map(4, 1));
  }

  @Test
  void aMapDoesNotGrow() throws Exception {
    long buffers = map(0, 2);
    assertFails(Errno.EFAULT, () -> program.mremap(buffers, 2 * PAGE, 4 * PAGE));
    long frames = map(1, 2);
    assertFails(Errno.EFAULT, () -> program.mremap(frames, 2 * PAGE, 4 * PAGE));
  }

  @Test
  void thePartBehindASplitShowsTheMapThatItsOffsetNamesNow() throws Exception {
    long buffers = map(0, 4);
    program.poke(buffers + 3 * PAGE, "touched before");
    program.munmap(buffers + PAGE, PAGE);
    assertThat(program.area(buffers + 2 * PAGE).pageOffset()).isEqualTo(2);
    assertThat(program.peek(buffers + 3 * PAGE, 14)).isEqualTo("touched before");
    assertSigbus(
        buffers + 2 * PAGE, () -> program.memory().getByte(buffers + 2 * PAGE)); // no map 2
    program.madvise(buffers + 3 * PAGE, PAGE, Mman.MADV_DONTNEED);
    assertSigbus(buffers + 3 * PAGE, () -> program.memory().getByte(buffers + 3 * PAGE));
  }

  @Test
  void thePartBehindASplitMayShowAnotherLogicalMap() throws Exception {
    DeviceMemory two = kernel.memory("two");
    AutoCloseable unused = kernel.devices().register(
        new DeviceRegistration("uio1", 0, 0, 1, 2000, "two", "1.0.0"),
        new Uio(
            new UioDevice(
                two,
                List.of(
                    UioMap.logical("first", two.region("first", 4), 0),
                    UioMap.logical("second", two.region("second", 2), 0))),
            0));
    int other = program.open("/dev/uio1", AccessMode.READ_WRITE);
    program.poke(program.mmapShared(other, PAGE, PAGE), "second map");
    long first = program.mmapShared(other, 4 * PAGE, 0);
    program.mprotect(first + PAGE, 3 * PAGE, Mman.PROT_READ);
    assertThat(program.peek(first + PAGE, 10)).isEqualTo("second map");
    assertThat(program.memory().getByte(first + 2 * PAGE)).isZero();
    // Behind the second map Linux would show whatever lies there.
    assertSigbus(first + 3 * PAGE, () -> program.memory().getByte(first + 3 * PAGE));
  }

  @Test
  void thePartBehindASplitOfFramesStaysWhatItIs() throws Exception {
    long frames = map(1, 8);
    program.poke(frames + 5 * PAGE, "frame 5");
    program.munmap(frames + 2 * PAGE, PAGE);
    assertThat(program.area(frames + 3 * PAGE).pageOffset()).isEqualTo(4);
    assertThat(program.peek(frames + 5 * PAGE, 7)).isEqualTo("frame 5");
  }

  @Test
  void aPrivateMappingCopies() throws Exception {
    long shared = map(1, 8);
    program.poke(shared, "shared");
    long own = program.mmapPrivate(fd, 8 * PAGE, PAGE);
    assertThat(program.peek(own, 6)).isEqualTo("shared");
    program.poke(own, "own");
    assertThat(program.peek(shared, 6)).isEqualTo("shared");
    assertThat(program.peek(own, 6)).isEqualTo("ownred");
  }

  // ---- interrupts -------------------------------------------------------------------------------

  @Test
  void readGivesTheCountOnceForEachInterrupt() throws Exception {
    assertFails(Errno.EAGAIN, () -> read(program, fd));
    device.interrupts().raise();
    assertThat(read(program, fd)).isEqualTo("\1\0\0\0");
    assertFails(Errno.EAGAIN, () -> read(program, fd));
  }

  @Test
  void whoOpensLaterHearsOfLaterInterruptsOnly() throws Exception {
    device.interrupts().raise();
    int later = program.open("/dev/uio0", AccessMode.READ_WRITE);
    assertFails(Errno.EAGAIN, () -> read(program, later));
    program.write(later, 0, "\1\0\0\0");
    device.interrupts().raise();
    assertThat(read(program, later)).isEqualTo("\2\0\0\0");
    assertThat(read(program, fd)).as("the two since the last read").isEqualTo("\2\0\0\0");
  }

  @Test
  void anInterruptIsMaskedUntilTheProgramUnmasksIt() throws Exception {
    device.interrupts().raise();
    device.interrupts().raise();
    device.interrupts().raise();
    assertThat(read(program, fd)).as("level-triggered: they are one").isEqualTo("\1\0\0\0");
    assertThat(device.interrupts().isPending()).isTrue();
    assertThat(program.write(fd, 0, "\1\0\0\0")).isEqualTo(4);
    assertThat(read(program, fd)).isEqualTo("\2\0\0\0");
    assertThat(device.interrupts().isEnabled()).isFalse();
  }

  @Test
  void aProgramMasks() throws Exception {
    program.write(fd, 0, "\0\0\0\0");
    device.interrupts().raise();
    assertFails(Errno.EAGAIN, () -> read(program, fd));
    program.write(fd, 0, "\0\0\0\1");
    assertThat(read(program, fd)).isEqualTo("\1\0\0\0");
  }

  @Test
  void onlyFourBytesAreReadAndWritten() {
    device.interrupts().raise();
    assertFails(Errno.EINVAL, () -> program.read(fd, 0, 3));
    assertFails(Errno.EINVAL, () -> program.read(fd, 0, 8));
    assertFails(Errno.EINVAL, () -> program.write(fd, 0, "\1"));
    assertFails(Errno.EINVAL, () -> program.write(fd, 0, "\1\0\0\0\0"));
  }

  @Test
  void readWaitsAsLongAsItIsTold() throws Exception {
    AutoCloseable unused = kernel.devices().register(
        new DeviceRegistration("patient", 0, 0, 1, 600_000, "uio", "1.0.0"),
        new Uio(device, 1000));
    int file = program.open("/dev/patient", AccessMode.READ_WRITE);
    long began = System.nanoTime();
    assertFails(Errno.EAGAIN, () -> read(program, file));
    assertThat(System.nanoTime() - began)
        .isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(1000));
    assertThatThrownBy(() -> new Uio(device, 1001)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anInterruptWakesWhoWaitsForIt() throws Exception {
    AutoCloseable unused = kernel.devices().register(
        new DeviceRegistration("patient", 0, 0, 1, 600_000, "uio", "1.0.0"),
        new Uio(device, 1000));
    int file = program.open("/dev/patient", AccessMode.READ_WRITE);
    CompletableFuture<String> reader = CompletableFuture.supplyAsync(() -> {
      // As often as it takes until this test has raised it.
      while (true) {
        try {
          return read(program, file);
        } catch (ErrnoException refused) {
          if (refused.errno() != Errno.EAGAIN) {
            return refused.getMessage();
          }
        }
      }
    });
    // So that it waits already, if the machine is not too busy.
    Thread.sleep(50);
    assertThat(reader).isNotDone();
    device.interrupts().raise();
    assertThat(reader.get(5, TimeUnit.MINUTES)).isEqualTo("\1\0\0\0");
  }

  // ---- upgrades ---------------------------------------------------------------------------------

  @Test
  void anotherVersionTakesOverMapsFilesAndCounts() throws Exception {
    long buffers = map(0, 4);
    long frames = map(1, 8);
    program.poke(buffers, "logical");
    program.poke(frames, "physical");
    device.interrupts().raise();
    assertThat(read(program, fd)).isEqualTo("\1\0\0\0");
    device.interrupts().raise();

    UioDevice next = device();
    registered = kernel.devices().replace(
        registered, FIRST.withVersion("2.0.0"), new Uio(next, 0), done -> {
        });

    assertThat(program.peek(buffers, 7)).isEqualTo("logical");
    assertThat(program.peek(frames, 8)).isEqualTo("physical");
    assertThat(program.peek(map(0, 1), 7)).isEqualTo("logical");
    assertFails(Errno.EAGAIN, () -> read(program, fd));
    program.write(fd, 0, "\1\0\0\0");
    assertThat(read(program, fd)).as("raised before, while masked").isEqualTo("\2\0\0\0");
    kernel.validate();
  }

  @Test
  void contentsAndCountsOutliveAGap() throws Exception {
    long buffers = map(0, 4);
    program.poke(buffers, "logical");
    long frames = map(1, 8);
    program.poke(frames, "physical");
    program.poke(frames + 3 * PAGE, "page 3");
    program.munmap(frames + PAGE, PAGE);
    long copy = program.mmapPrivate(fd, 2L * PAGE, PAGE);
    program.poke(copy + PAGE, "own");
    device.interrupts().raise();
    assertThat(read(program, fd)).isEqualTo("\1\0\0\0");
    registered.close();
    assertSigbus(buffers, () -> program.memory().getByte(buffers));
    assertSigbus(frames, () -> program.memory().getByte(frames));

    registered = kernel.devices().register(FIRST.withVersion("2.0.0"), new Uio(device(), 0));

    assertThat(program.peek(buffers, 7)).isEqualTo("logical");
    assertThat(program.peek(frames, 8)).isEqualTo("physical");
    assertThat(program.peek(frames + 3 * PAGE, 6)).as("the second part").isEqualTo("page 3");
    assertThat(program.peek(copy, 8)).isEqualTo("physical");
    assertThat(program.peek(copy + PAGE, 3)).isEqualTo("own");
    assertFails(Errno.EAGAIN, () -> read(program, fd));
    program.write(fd, 0, "\1\0\0\0");
    device.interrupts().raise();
    assertThat(read(program, fd)).isEqualTo("\2\0\0\0");
    kernel.validate();
  }

  /** The driver, but that each read is an error of its own. */
  private record Failing(Uio uio) implements MmapProvider, HandOver {
    @Override
    public void open(OpenFile file) {
      uio.open(file);
    }

    @Override
    public int read(OpenFile file, long offset, MemorySegment target) {
      throw new IllegalStateException("read");
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      uio.mmap(file, request);
    }

    @Override
    public void adopt(Adoption area) throws ErrnoException {
      uio.adopt(area);
    }
  }

  @Test
  void framesAreMappedAgainAfterAQuarantine() throws Exception {
    kernel.errorBudget(2);
    AutoCloseable unused =
        kernel.devices().register(DeviceRegistration.of("failing"), new Failing(uio));
    int file = program.open("/dev/failing", AccessMode.READ_WRITE);
    long frames = program.mmapShared(file, 8L * PAGE, PAGE);
    long copy = program.mmapPrivate(file, 2L * PAGE, PAGE);
    for (int page = 0; page < 8; page++) {
      program.memory().putLong(frames + (long) page * PAGE, 70 + page);
    }
    program.munmap(frames + 2L * PAGE, PAGE);
    for (int i = 0; i < 3; i++) {
      assertFails(Errno.EIO, () -> read(program, file));
    }
    assertThat(kernel.restore("/dev/failing")).isEqualTo(1);

    assertThat(program.memory().getLong(frames + PAGE)).isEqualTo(71);
    assertThat(program.memory().getLong(frames + 3L * PAGE)).as("the second part").isEqualTo(73);
    assertThat(program.memory().getLong(frames + 7L * PAGE)).isEqualTo(77);
    assertThat(program.memory().getLong(copy + PAGE)).isEqualTo(71);
    kernel.validate();
  }

  @Test
  void registersAnswerAgainAfterAGap() throws Exception {
    AutoCloseable shipped = kernel.devices().register(
        SHIPPED, new Uio(new UioDevice(kernel.memory("shipped"), kernel.io(SHIPPED)), 0));
    int file = program.open("/dev/uio1", AccessMode.READ_WRITE);
    long registers = program.mmapShared(file, PAGE, 3 * PAGE);
    long mine = program.mmapPrivate(file, PAGE, 3 * PAGE);
    program.memory().putInt(registers + Registers.DOORBELL, 1);
    shipped.close();
    kernel.releaseIo(SHIPPED);
    assertSigbus(registers, () -> program.memory().getInt(registers));

    DeviceRegistration next = SHIPPED.withVersion("2.0.0");
    AutoCloseable unused = kernel.devices().register(
        next, new Uio(new UioDevice(kernel.memory("shipped"), kernel.io(next)), 0));

    assertThat(program.peek(registers, 4)).isEqualTo("UIO1");
    assertThat(program.memory().getInt(registers + Registers.EVENT)).isEqualTo(1);
    assertThat(program.peek(mine, 4)).isEqualTo("UIO1");
    kernel.validate();
  }

  // ---- registers --------------------------------------------------------------------------------

  @Test
  void registersAnswerEachAccess() throws Exception {
    UioDevice shipped = new UioDevice(kernel.memory("shipped"), kernel.io(SHIPPED));
    AutoCloseable unused = kernel.devices().register(
        SHIPPED, new Uio(shipped, 0));
    int file = program.open("/dev/uio1", AccessMode.READ_WRITE);
    long registers = program.mmapShared(file, PAGE, 3 * PAGE);
    UserMemory cpu = program.memory();
    assertThat(program.peek(registers, 4)).isEqualTo("UIO1");
    assertThat(cpu.getInt(registers + Registers.EVENT)).isZero();
    assertThat(cpu.getInt(registers + Registers.STATUS)).isEqualTo(Registers.ENABLED);
    cpu.putInt(registers + Registers.DOORBELL, 1);
    assertThat(cpu.getInt(registers + Registers.EVENT)).isEqualTo(1);
    assertThat(read(program, file)).isEqualTo("\1\0\0\0");
    cpu.putInt(registers + Registers.DOORBELL, 1);
    assertThat(cpu.getInt(registers + Registers.STATUS)).isEqualTo(Registers.IS_PENDING);
    program.write(file, 0, "\1\0\0\0");
    assertThat(read(program, file)).isEqualTo("\2\0\0\0");
    assertThat(cpu.getInt(registers + 0x10)).as("no register").isEqualTo(-1);
    assertThat(cpu.getLong(registers)).as("not eight bytes").isEqualTo(-1);
  }

  // ---- the command ------------------------------------------------------------------------------

  @Test
  void theCommandTellsWhatSysfsTells() throws Exception {
    UioCommand command = new UioCommand(
        new UioDevice(kernel.memory("shipped"), kernel.io(SHIPPED)));
    List<String> lines = command.uio().lines().toList();
    assertThat(lines).hasSizeGreaterThanOrEqualTo(5);
    assertThat(lines.get(1)).matches(
        "map0  buffers +logical +0x0{8}[0-9a-f]{8} +0x0000000000004000  0x0");
    assertThat(lines.get(2)).matches("map1  frames +physical .* 0x0000000000008000  0x0");
    assertThat(lines.get(3)).matches("map2  mailbox +logical .* 0x0000000000001000  0x200");
    assertThat(lines.get(4)).matches("map3  registers +physical .* 0x0000000000001000  0x0");
    assertThat(lines.getLast()).isEqualTo("event 0, interrupt enabled");
    assertThat(command.uio("irq")).isEqualTo("event 1, interrupt masked");
    assertThat(command.uio("irq")).isEqualTo("event 1, interrupt masked, pending");
    assertThatThrownBy(() -> command.uio("orders")).isInstanceOf(IllegalArgumentException.class);
  }
}
