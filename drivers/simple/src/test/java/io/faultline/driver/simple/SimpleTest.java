// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both devices, mapped by processes. */
@FaultlineTest
class SimpleTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int PAGES = 1 << SimpleMemory.ORDER;

  private final Kernel kernel;
  private final PageAllocator pages;
  private final SimpleMemory memory;
  private final Program program;
  private final Log log = new Log();
  private int simpler;
  private int simplen;

  SimpleTest(Kernel kernel) throws ErrnoException {
    this.kernel = kernel;
    pages = kernel.pages("simple");
    memory = new SimpleMemory(pages);
    kernel.devices().register(DeviceRegistration.of("simpler"), new SimpleRemap(memory));
    kernel.devices().register(DeviceRegistration.of("simplen"), new SimpleNopage(memory));
    program = kernel.spawn();
  }

  @BeforeEach
  void open() throws ErrnoException {
    simpler = program.open("/dev/simpler", AccessMode.READ_WRITE);
    simplen = program.open("/dev/simplen", AccessMode.READ_WRITE);
    log.start();
  }

  @AfterEach
  void everyReferenceComesBack() {
    kernel.tasks().list().forEach(task -> kernel.tasks().exit(task, 0));
    for (long offset = 0; offset < PAGES; offset++) {
      assertThat(memory.page(memory.frame(offset))).isNotNull()
          .satisfies(page -> assertThat(page.referenceCount()).isEqualTo(1));
    }
    memory.free();
    assertThat(pages.allocated()).isZero();
    log.stop();
  }

  @Test
  void simplerMapsEveryPageUpFront() throws ErrnoException {
    long address = program.mmapShared(simpler, PAGES * PAGE, 0);
    long before = kernel.faults().counts(program.task()).minor();

    for (int i = 0; i < PAGES; i++) {
      program.memory().putByte(address + i * PAGE, (byte) i);
    }

    assertThat(kernel.faults().counts(program.task()).minor()).isEqualTo(before);
  }

  @Test
  void simplenMapsAPageWhenItIsTouched() throws ErrnoException {
    long address = program.mmapShared(simplen, PAGES * PAGE, 0);
    long before = kernel.faults().counts(program.task()).minor();

    program.memory().getByte(address);
    program.memory().putByte(address + 1, (byte) 1);
    program.memory().getByte(address + 3 * PAGE);

    assertThat(kernel.faults().counts(program.task()).minor()).isEqualTo(before + 2);
  }

  @Test
  void bothDevicesShowTheSameMemory() throws ErrnoException {
    long remapped = program.mmapShared(simpler, PAGES * PAGE, 0);
    Program other = kernel.spawn();
    int fd = other.open("/dev/simplen", AccessMode.READ_WRITE);
    long faulted = other.mmapShared(fd, PAGE, 5 * PAGE);

    program.poke(remapped + 5 * PAGE, "through one");
    assertThat(other.peek(faulted, 11)).isEqualTo("through one");

    other.poke(faulted, "and another");
    assertThat(program.peek(remapped + 5 * PAGE, 11)).isEqualTo("and another");
  }

  @Test
  void simplerRefusesWhatReachesBehindItsMemory() throws ErrnoException {
    int areas = program.areas().size();

    assertFails(Errno.EINVAL, () -> program.mmapShared(simpler, (PAGES + 1) * PAGE, 0));
    assertFails(Errno.EINVAL, () -> program.mmapShared(simpler, PAGE, PAGES * PAGE));

    assertThat(program.areas()).hasSize(areas);
    assertThat(log.lines()).as("neither opened nor closed").isEmpty();
  }

  @Test
  void simplenGivesSigbusBehindItsMemory() throws ErrnoException {
    long address = program.mmapShared(simplen, 2 * PAGE, (PAGES - 1) * PAGE);

    program.poke(address, "the last page");
    assertSigbus(address + PAGE, () -> program.memory().getByte(address + PAGE));
    assertThat(program.peek(address, 13)).isEqualTo("the last page");
  }

  @Test
  void flagsAreTheBooksOfToday() throws ErrnoException {
    assertThat(program.area(program.mmapShared(simpler, PAGE, 0)).flags().toSet())
        .contains(VmFlag.IO, VmFlag.PFNMAP, VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
    assertThat(program.area(program.mmapShared(simplen, PAGE, 0)).flags().toSet())
        .contains(VmFlag.RESERVED).doesNotContain(VmFlag.PFNMAP);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/simpler", "/dev/simplen"})
  void theOffsetInMapsIsThePhysicalAddress(String device) throws ErrnoException {
    int fd = program.open(device, AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, PAGE, 2 * PAGE);

    assertThat(program.mapsLine(address)).contains(String.format(" rw-s %08x ", physical(2)))
        .endsWith(" " + device);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/simpler", "/dev/simplen"})
  void openAndCloseAreLoggedAsInTheBook(String device) throws ErrnoException {
    int fd = program.open(device, AccessMode.READ_WRITE);

    long address = program.mmapShared(fd, 4 * PAGE, PAGE);
    assertThat(log.take()).as("mmap").containsExactly(opened(address, 1));

    Program child = program.fork();
    assertThat(log.take()).as("fork").containsExactly(opened(address, 1));

    child.munmap(address + PAGE, PAGE);
    assertThat(log.take()).as("a hole: two splits, one area closed").containsExactly(
        opened(address, 1), opened(address + 2 * PAGE, 3), "Simple VMA close.");

    child.exit();
    assertThat(log.take()).as("exit").containsExactly("Simple VMA close.", "Simple VMA close.");

    program.munmap(address, 4 * PAGE);
    assertThat(log.take()).as("munmap").containsExactly("Simple VMA close.");
  }

  @Test
  void simplerIsNotGrown() throws ErrnoException {
    long address = program.mmapShared(simpler, PAGE, 0);

    assertFails(Errno.EFAULT, () -> program.mremap(address, PAGE, 2 * PAGE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/simpler", "/dev/simplen"})
  void aPrivateMappingCopiesWhatItWrites(String device) throws ErrnoException {
    int fd = program.open(device, AccessMode.READ_WRITE);
    long shared = program.mmapShared(fd, PAGE, 0);
    program.poke(shared, "device");
    long mine = program.mmapPrivate(fd, PAGE, 0);
    assertThat(program.peek(mine, 6)).isEqualTo("device");

    program.poke(mine, "mine!!");

    assertThat(program.peek(shared, 6)).isEqualTo("device");
    assertThat(program.peek(mine, 6)).isEqualTo("mine!!");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/simpler", "/dev/simplen"})
  void aMovedMappingShowsTheSamePages(String device) throws ErrnoException {
    int fd = program.open(device, AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, 2 * PAGE, PAGE);
    program.poke(address, "one");
    program.poke(address + PAGE, "two");
    long target = program.mmap(-1, 2 * PAGE, Mman.PROT_NONE,
        Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);

    long moved = kernel.vmas().mremap(program.task(), address, 2 * PAGE, 2 * PAGE,
        Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, target);

    assertThat(program.peek(moved, 3) + program.peek(moved + PAGE, 3)).isEqualTo("onetwo");
  }

  @Test
  void cannotBeReadOrWritten() {
    assertFails(Errno.EINVAL, () -> program.read(simpler, 0, 1));
    assertFails(Errno.EINVAL, () -> program.write(simplen, 0, "x"));
  }

  private String opened(long address, int pageOffset) {
    return String.format("Simple VMA open, virt %x, phys %x", address, physical(pageOffset));
  }

  private long physical(int pageOffset) {
    return memory.frame(pageOffset) << Mman.PAGE_SHIFT;
  }

  /** What the driver logs, by way of the JDK's own logging. */
  private static final class Log extends Handler {
    // Held: the JDK keeps loggers by weak references.
    private final Logger logger = Logger.getLogger("io.faultline.driver.simple");
    private final List<String> lines = new ArrayList<>();

    void start() {
      logger.addHandler(this);
      logger.setUseParentHandlers(false);
    }

    void stop() {
      logger.removeHandler(this);
      logger.setUseParentHandlers(true);
    }

    List<String> lines() {
      return List.copyOf(lines);
    }

    List<String> take() {
      List<String> taken = lines();
      lines.clear();
      return taken;
    }

    @Override
    public void publish(LogRecord entry) {
      lines.add(entry.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
