// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.FaultCounts;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The devices as processes use them. */
@FaultlineTest
class ScullpTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final Kernel kernel;
  private final PageAllocator pages;
  private final Scullp scullp;
  private final Program program;
  private int fd;

  ScullpTest(Kernel kernel) {
    this.kernel = kernel;
    pages = kernel.pages("scullp");
    scullp = new Scullp(pages, new Geometry(0, 500));
    kernel.devices().register(DeviceRegistration.of("scullp").withCount(Scullp.DEVICES), scullp);
    program = kernel.spawn();
  }

  @BeforeEach
  void open() throws ErrnoException {
    fd = program.open("/dev/scullp0", AccessMode.READ_WRITE);
  }

  @AfterEach
  void everyPageComesBack() {
    kernel.tasks().list().forEach(task -> kernel.tasks().exit(task, 0));
    scullp.deactivate();
    assertThat(pages.allocated()).isZero();
  }

  @Test
  void aMappingSeesWhatWasWritten() throws ErrnoException {
    program.write(fd, PAGE + 5, "hello");

    long address = program.mmapShared(fd, 2 * PAGE, 0);
    program.write(fd, 0, "later");

    assertThat(program.peek(address + PAGE + 5, 5)).isEqualTo("hello");
    assertThat(program.peek(address, 5)).isEqualTo("later");
  }

  @Test
  void readSeesWhatAMappingStored() throws ErrnoException {
    program.write(fd, 0, "hello");
    long address = program.mmapShared(fd, PAGE, 0);

    program.poke(address, "HE");

    assertThat(program.read(fd, 0, 100)).isEqualTo("HEllo");
  }

  @Test
  void twoProcessesSeeEachOthersStores() throws ErrnoException {
    program.write(fd, 0, "hello");
    Program other = kernel.spawn();
    int otherFd = other.open("/dev/scullp0", AccessMode.READ_WRITE);
    long mine = program.mmapShared(fd, PAGE, 0);
    long others = other.mmapShared(otherFd, PAGE, 0);

    program.poke(mine, "from me");
    assertThat(other.peek(others, 7)).isEqualTo("from me");

    other.poke(others, "for you");
    assertThat(program.peek(mine, 7)).isEqualTo("for you");
  }

  @Test
  void aPrivateMappingKeepsItsStoresToItself() throws ErrnoException {
    program.write(fd, 0, "hello");
    long address = program.mmapPrivate(fd, PAGE, 0);

    program.poke(address, "HELLO");

    assertThat(program.peek(address, 5)).isEqualTo("HELLO");
    assertThat(program.read(fd, 0, 5)).isEqualTo("hello");
  }

  @Test
  void theDevicesHaveNothingInCommon() throws ErrnoException {
    program.write(fd, 0, "zero");

    for (int i = 1; i < Scullp.DEVICES; i++) {
      int other = program.open("/dev/scullp" + i, AccessMode.READ_WRITE);
      assertThat(program.read(other, 0, 4)).isEmpty();
      program.write(other, 0, "n°" + i);
    }

    assertThat(program.read(fd, 0, 4)).isEqualTo("zero");
  }

  @Test
  void aHoleGetsSigbusUntilItIsWritten() throws ErrnoException {
    program.write(fd, 2 * PAGE, "behind a hole");
    long address = program.mmapShared(fd, 3 * PAGE, 0);

    assertSigbus(address + PAGE, () -> program.memory().getByte(address + PAGE));
    assertSigbus(address + PAGE, () -> program.memory().putByte(address + PAGE, (byte) 1));

    program.write(fd, PAGE, "no hole");
    assertThat(program.peek(address + PAGE, 7)).isEqualTo("no hole");
  }

  @Test
  void behindTheEndIsSigbus() throws ErrnoException {
    program.write(fd, 0, "short");
    long address = program.mmapShared(fd, 4 * PAGE, 0);

    assertThat(program.peek(address + PAGE - 1, 1)).as("the rest of the last page").isEqualTo("\0");
    assertSigbus(address + PAGE, () -> program.memory().getByte(address + PAGE));
    assertSigbus(address + 3 * PAGE + 7, () -> program.memory().getByte(address + 3 * PAGE + 7));
  }

  @Test
  void aMappingBeginsAtItsOffset() throws ErrnoException {
    program.write(fd, 0, "first");
    program.write(fd, 3 * PAGE, "fourth");

    long address = program.mmapShared(fd, PAGE, 3 * PAGE);

    assertThat(program.peek(address, 6)).isEqualTo("fourth");
    assertThat(program.mapsLine(address)).contains(" rw-s 00003000 ").endsWith(" /dev/scullp0");
  }

  @Test
  void readAndWriteStopAtTheEndOfAPage() throws ErrnoException {
    assertThat(program.write(fd, PAGE - 2, "abcd")).isEqualTo(2);
    assertThat(program.write(fd, PAGE, "cd")).isEqualTo(2);

    assertThat(program.read(fd, PAGE - 2, 4)).isEqualTo("ab");
  }

  @Test
  void itsAreasAreReservedAndNoMore() throws ErrnoException {
    VmFlags flags = program.area(program.mmapShared(fd, PAGE, 0)).flags();

    assertThat(flags).isEqualTo(VmFlags.of(VmFlag.READ, VmFlag.WRITE, VmFlag.SHARED,
        VmFlag.MAYREAD, VmFlag.MAYWRITE, VmFlag.MAYEXEC, VmFlag.MAYSHARE, VmFlag.RESERVED));
  }

  @Test
  void openingWriteOnlyEmptiesTheDevice() throws ErrnoException {
    program.write(fd, 0, "old");

    program.open("/dev/scullp0", AccessMode.WRITE_ONLY);

    assertThat(program.read(fd, 0, 3)).isEmpty();
    assertThat(pages.allocated()).isZero();
  }

  @Test
  void openingOtherwiseLeavesItAlone() throws ErrnoException {
    program.write(fd, 0, "old");

    program.open("/dev/scullp0", AccessMode.READ_ONLY);
    program.open("/dev/scullp0", AccessMode.READ_WRITE);
    program.open("/dev/scullp1", AccessMode.WRITE_ONLY);

    assertThat(program.read(fd, 0, 3)).isEqualTo("old");
  }

  @Test
  void refusesToBeTrimmedWhileMapped() throws ErrnoException {
    program.write(fd, 0, "old");
    long address = program.mmapShared(fd, PAGE, 0);

    assertThat(trims()).isFalse();
    program.munmap(address, PAGE);

    assertThat(trims()).isTrue();
  }

  @Test
  void everyAreaCountsUntilItIsGone() throws ErrnoException {
    program.write(fd, 0, "old");
    long address = program.mmapShared(fd, 8 * PAGE, 0);

    program.munmap(address + 3 * PAGE, PAGE);
    program.mprotect(address, PAGE, Mman.PROT_READ);
    long target = program.mmap(-1, 4 * PAGE, Mman.PROT_NONE,
        Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
    long moved = kernel.vmas().mremap(program.task(), address + 4 * PAGE, 4 * PAGE, 4 * PAGE,
        Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, target);
    assertThat(kernel.devices().find("/dev/scullp0")).map(DeviceInfo::areas).contains(3);

    program.munmap(address, PAGE);
    assertThat(trims()).as("two left").isFalse();
    program.munmap(moved, 4 * PAGE);
    assertThat(trims()).as("one left").isFalse();
    program.munmap(address + PAGE, 2 * PAGE);
    assertThat(trims()).as("none left").isTrue();
  }

  @Test
  void aChildsAreaCountsToo() throws ErrnoException {
    program.write(fd, 0, "old");
    long address = program.mmapShared(fd, PAGE, 0);
    Program child = program.fork();

    program.munmap(address, PAGE);
    assertThat(trims()).as("the child's is left").isFalse();

    child.exit();
    assertThat(trims()).isTrue();
  }

  @Test
  void anAreaOutlivesTheDescriptor() throws ErrnoException {
    program.write(fd, 0, "hello");
    long address = program.mmapShared(fd, PAGE, 0);

    program.close(fd);

    assertThat(program.peek(address, 5)).isEqualTo("hello");
  }

  @Test
  void cannotBeMappedWithOrderNotZero() throws ErrnoException {
    PageAllocator morePages = kernel.pages("pairs");
    Scullp pairs = new Scullp(morePages, new Geometry(1, 500));
    kernel.devices().register(DeviceRegistration.of("pairs").withCount(Scullp.DEVICES), pairs);
    int pair = program.open("/dev/pairs2", AccessMode.READ_WRITE);
    program.write(pair, PAGE - 2, "abcd");
    int areas = program.areas().size();

    assertFails(Errno.ENODEV, () -> program.mmapShared(pair, PAGE, 0));

    assertThat(program.areas()).hasSize(areas);
    assertThat(program.read(pair, PAGE - 2, 4)).isEqualTo("abcd");
    program.open("/dev/pairs2", AccessMode.WRITE_ONLY);
    assertThat(program.read(pair, PAGE - 2, 4)).as("no count was left").isEmpty();
    pairs.deactivate();
  }

  @Test
  void aPageIsAskedForOnce() throws ErrnoException {
    program.write(fd, 0, "hello");
    long address = program.mmapShared(fd, PAGE, 0);

    program.memory().getByte(address);
    program.memory().getByte(address + 1);
    program.memory().putByte(address + 2, (byte) 'L');

    assertThat(kernel.faults().countsByDevice().get("/dev/scullp0"))
        .isEqualTo(new FaultCounts(1, 0, 0, 0, 0, 0));
  }

  @Test
  void manyProcessesFaultAtOnceAndSeeTheSameBytes() throws Exception {
    for (int i = 0; i < 16; i++) {
      program.write(fd, i * PAGE, "page " + (char) ('a' + i));
    }
    List<Program> programs = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      programs.add(kernel.spawn());
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(programs.size())) {
      List<Future<?>> results = new ArrayList<>();
      for (Program each : programs) {
        results.add(threads.submit(() -> {
          int own = each.open("/dev/scullp0", AccessMode.READ_WRITE);
          for (int round = 0; round < 50; round++) {
            long address = each.mmapShared(own, 16 * PAGE, 0);
            for (int i = 0; i < 16; i++) {
              assertThat(each.peek(address + i * PAGE, 6)).isEqualTo("page " + (char) ('a' + i));
            }
            each.munmap(address, 16 * PAGE);
          }
          return null;
        }));
      }
      for (Future<?> result : results) {
        result.get();
      }
    }
    assertThat(trims()).as("every area was counted out").isTrue();
  }

  /** Opens the device write-only, and says whether that emptied it. It must not be empty before. */
  private boolean trims() throws ErrnoException {
    Program other = kernel.spawn();
    int reader = other.open("/dev/scullp0", AccessMode.READ_WRITE);
    assertThat(other.read(reader, 0, 1)).as("something to trim").isNotEmpty();
    other.open("/dev/scullp0", AccessMode.WRITE_ONLY);
    boolean empty = other.read(reader, 0, 1).isEmpty();
    other.exit();
    return empty;
  }
}
