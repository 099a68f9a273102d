// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static io.faultline.testkit.Refusals.assertSignal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlag;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A device's registers in a process's address space. */
@FaultlineTest
@Timeout(600)
class IoRegionTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE =
      DeviceRegistration.of("registers").withTimeoutMillis(600_000);

  private final BootedKernel kernel;
  private final Program program;
  private AutoCloseable plugged = () -> {
  };
  private int fd;

  IoRegionTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private RegisterDriver plug(UnplugPolicy policy) throws ErrnoException {
    RegisterDriver driver = new RegisterDriver(1, kernel.io(NODE));
    plugged = kernel.devices().register(NODE.withUnplug(policy), driver);
    return driver;
  }

  private RegisterDriver plug() throws ErrnoException {
    return plug(UnplugPolicy.SIGBUS);
  }

  private long map() throws ErrnoException {
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    return program.mmapShared(fd, (long) RegisterDriver.PAGES * PAGE, 0);
  }

  private UserMemory memory() {
    return program.memory();
  }

  // ---- accesses ---------------------------------------------------------------------------------

  @Test
  void everyLoadReachesTheDevice() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    assertThat(memory().getLong(address)).isEqualTo(1);
    for (int i = 0; i < 10; i++) {
      assertThat(memory().getInt(address + RegisterDriver.COUNTER)).isEqualTo(i);
    }
    memory().putLong(address + RegisterDriver.WORD, 77);
    assertThat(driver.word).isEqualTo(77);
    assertThat(memory().getInt(address + PAGE)).isEqualTo(-1);
  }

  @Test
  void theAreaIsOneOfIoRemapPfnRange() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    assertThat(program.area(address).flags().toSet())
        .contains(VmFlag.IO, VmFlag.PFNMAP, VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
    assertThat(kernel.proc().pagemap(program.task(), address, 2))
        .containsExactly(1L << 63 | driver.region.frame(), 1L << 63 | driver.region.frame() + 1);
    assertThat(kernel.proc().smaps(program.task()).lines()
        .dropWhile(line -> !line.endsWith("/dev/registers")).skip(4).findFirst())
        .hasValue("Rss:                   0 kB");
    assertThat(new String(kernel.proc().read("iomem"), StandardCharsets.ISO_8859_1).lines())
        .last().isEqualTo("%08x-%08x : registers".formatted(
            driver.region.frame() << 12, (driver.region.frame() << 12) + 2 * PAGE - 1));
  }

  @Test
  void memoryCallsTreatItAsLinuxTreatsWhatHasNoPages() throws Exception {
    plug();
    long address = map();
    long vector = program.mmap(
        -1, PAGE, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
    kernel.vmas().mincore(program.task(), address, PAGE, vector);
    assertThat(memory().getByte(vector)).isEqualTo((byte) 1);
    for (int advice : List.of(
        Mman.MADV_DONTNEED, Mman.MADV_FREE, Mman.MADV_COLD, Mman.MADV_PAGEOUT,
        Mman.MADV_POPULATE_READ, Mman.MADV_POPULATE_WRITE)) {
      assertFails(Errno.EINVAL, () -> program.madvise(address, PAGE, advice));
    }
    kernel.vmas().mlock(program.task(), address, PAGE);
    assertThat(kernel.proc().status(program.task())).contains("VmLck:\t       0 kB");
    assertFails(Errno.EFAULT, () -> program.mremap(address, 2L * PAGE, 3L * PAGE));
    program.mprotect(address, PAGE, Mman.PROT_READ);
    assertThat(memory().getLong(address)).isEqualTo(1);
    assertSignal(SignalCode.SEGV_ACCERR, address, () -> memory().putInt(address, 1));
    program.mprotect(address, PAGE, Mman.PROT_NONE);
    program.mprotect(address, PAGE, Mman.PROT_READ | Mman.PROT_WRITE);
    memory().putInt(address, 1);
    kernel.validate();
  }

  @Test
  void aChildAndAMovedAreaReachTheSameDevice() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    Program child = program.fork();
    assertThat(child.memory().getInt(address + RegisterDriver.COUNTER)).isZero();
    assertThat(memory().getInt(address + RegisterDriver.COUNTER)).isEqualTo(1);
    long target = program.mmap(
        -1, 2L * PAGE, Mman.PROT_NONE, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
    long moved = kernel.vmas().mremap(program.task(), address, 2L * PAGE, 2L * PAGE,
        Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED, target);
    assertThat(memory().getInt(moved + RegisterDriver.COUNTER)).isEqualTo(2);
    child.exit();
    program.munmap(moved, PAGE);
    assertThat(memory().getInt(moved + PAGE)).isEqualTo(-1);
    assertThat(driver.counter).hasValue(3);
  }

  @Test
  void aPrivateMappingReadsTheDeviceAndCopiesWhatItWritesTo() throws Exception {
    RegisterDriver driver = plug();
    driver.word = 5;
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long mine = program.mmapPrivate(fd, 2L * PAGE, 0);
    assertThat(memory().getInt(mine + RegisterDriver.COUNTER)).isZero();
    memory().putInt(mine, 99);
    assertThat(driver.counter).as("the copy has read all of the page").hasValue(2);
    assertThat(memory().getInt(mine + RegisterDriver.COUNTER)).isEqualTo(1);
    assertThat(memory().getInt(mine + RegisterDriver.COUNTER)).as("memory now").isEqualTo(1);
    assertThat(memory().getInt(mine + RegisterDriver.WORD)).isEqualTo(5);
    assertThat(memory().getInt(mine)).isEqualTo(99);
    assertThat(memory().getInt(mine + PAGE)).as("the other page is the device's").isEqualTo(-1);
    kernel.validate();
  }

  @Test
  void nopageMayAnswerWithAFrame() throws Exception {
    RegisterDriver driver = new RegisterDriver.Lazy(4, kernel.io(NODE));
    plugged = kernel.devices().register(NODE, driver);
    long address = map();
    assertThat(memory().getLong(address)).isEqualTo(4);
    memory().putLong(address + RegisterDriver.WORD, 6);
    assertThat(driver.word).isEqualTo(6);
    assertThat(memory().getInt(address + PAGE)).isEqualTo(-1);
    assertThat(kernel.faults().counts(program.task()).minor()).isEqualTo(2);
    kernel.validate();
  }

  @Test
  void aFrameFromNopageIsRefusedWhereACopyCouldBeNeeded() throws Exception {
    plugged = kernel.devices().register(NODE, new RegisterDriver.Lazy(4, kernel.io(NODE)));
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long address = program.mmapPrivate(fd, PAGE, 0);
    assertSigbus(address, () -> memory().getInt(address));
    assertThat(kernel.problems()).singleElement().asString().contains("private area");
  }

  @Test
  void whatLiesBehindMemoryIsSomebodys() throws Exception {
    RegisterDriver driver = plug();
    long frame = driver.region.frame();
    record Wrong(long frame, long pages) {}
    for (Wrong wrong : List.of(
        new Wrong(frame - 1, 1), new Wrong(frame, 3), new Wrong(1L << 40, 1),
        new Wrong(Long.MAX_VALUE, 1), new Wrong(-1, 1))) {
      MmapProvider thief = new Mapper(wrong.frame);
      try (AutoCloseable unused = kernel.devices().register(
          new DeviceRegistration("thief", 0, 0, 1, 1000, "registers", "0.0.0"), thief)) {
        int thiefs = program.open("/dev/thief", AccessMode.READ_WRITE);
        assertFails(Errno.EINVAL, () -> program.mmapShared(thiefs, wrong.pages * PAGE, 0));
        program.close(thiefs);
      }
    }
  }

  @Test
  void anotherBundlesRegionIsNotToBeMapped() throws Exception {
    RegisterDriver driver = plug();
    try (AutoCloseable unused = kernel.devices().register(
        DeviceRegistration.of("stranger"), new Mapper(driver.region.frame()))) {
      int stranger = program.open("/dev/stranger", AccessMode.READ_WRITE);
      assertFails(Errno.EINVAL, () -> program.mmapShared(stranger, PAGE, 0));
      program.close(stranger);
    }
  }

  @Test
  void oneDeviceServesARegionAtATime() throws Exception {
    RegisterDriver driver = plug();
    AutoCloseable second = kernel.devices().register(
        new DeviceRegistration("second", 0, 0, 1, 1000, "registers", "0.0.0"),
        new Mapper(driver.region.frame()));
    long address = map();
    int other = program.open("/dev/second", AccessMode.READ_WRITE);
    assertFails(Errno.EBUSY, () -> program.mmapShared(other, PAGE, 0));
    assertThat(memory().getLong(address)).isEqualTo(1);
    program.close(other);
    second.close();
  }

  /** Maps a frame, whosever it is. */
  private static final class Mapper implements MmapProvider {
    private final long frame;

    Mapper(long frame) {
      this.frame = frame;
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.remapPfnRange(request.start(), frame, request.length());
    }
  }

  // ---- containment ------------------------------------------------------------------------------

  @Test
  void aHandlerThatThrowsCostsThatAccess() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    driver.action = value -> {
      throw new IllegalStateException("fuse");
    };
    assertSigbus(
        address + RegisterDriver.ACTION, () -> memory().getInt(address + RegisterDriver.ACTION));
    assertThat(kernel.problems()).singleElement().asString()
        .contains("/dev/registers", "I/O read", "fuse");
    assertThat(kernel.devices().find("/dev/registers").orElseThrow().errors()).isEqualTo(1);
    assertThat(memory().getLong(address)).isEqualTo(1);
    assertThat(kernel.faults().counts(program.task()).sigbus()).as("no page fault").isZero();
  }

  @Test
  void aHandlerThatHangsIsInterrupted() throws Exception {
    RegisterDriver driver = new RegisterDriver(1, kernel.io(NODE));
    plugged = kernel.devices().register(NODE.withTimeoutMillis(1000), driver);
    long address = map();
    driver.action = value -> {
      try {
        Thread.sleep(1_800_000);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    };
    assertSigbus(
        address + RegisterDriver.ACTION,
        () -> memory().putInt(address + RegisterDriver.ACTION, 1));
    // The watchdog tells after it has interrupted the call.
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (kernel.problems().isEmpty() && System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
    assertThat(kernel.problems()).anyMatch(line -> line.contains("longer than 1000 ms"));
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    assertThat(memory().getLong(address)).isEqualTo(1);
  }

  @Test
  void aCopyOfAPageWhoseDeviceFailsIsSigbus() throws Exception {
    RegisterDriver driver = plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long mine = program.mmapPrivate(fd, PAGE, 0);
    driver.action = value -> {
      throw new IllegalStateException("fuse");
    };
    assertSigbus(mine, () -> memory().putInt(mine, 1));
    driver.action = value -> {
    };
    memory().putInt(mine, 1);
    assertThat(memory().getInt(mine)).isEqualTo(1);
    kernel.validate();
  }

  @Test
  void noLockIsHeldWhileRegistersAreCopied() throws Exception {
    RegisterDriver driver = plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long mine = program.mmapPrivate(fd, PAGE, 0);
    List<Long> mapped = new ArrayList<>();
    driver.action = value -> {
      try {
        mapped.add(program.mmapShared(fd, PAGE, 0));
      } catch (ErrnoException refused) {
        throw new IllegalStateException(refused);
      }
    };
    memory().putInt(mine + 64, 1);
    assertThat(mapped).as("8 bytes, read in fours").hasSize(1);
    assertThat(memory().getLong(mapped.getFirst())).isEqualTo(1);
    assertThat(memory().getInt(mine + 64)).isEqualTo(1);
    assertThat(memory().getInt(mine)).as("what the register read as").isEqualTo(1);
    kernel.validate();
  }

  @Test
  void whatIsUnmappedWhileItIsCopiedIsNoMemory() throws Exception {
    RegisterDriver driver = plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long mine = program.mmapPrivate(fd, PAGE, 0);
    driver.action = value -> {
      try {
        program.munmap(mine, PAGE);
      } catch (ErrnoException refused) {
        throw new IllegalStateException(refused);
      }
    };
    assertSignal(SignalCode.SEGV_MAPERR, mine, () -> memory().putInt(mine, 1));
    kernel.validate();
  }

  @Test
  void whoCopiesWhileTheDriverIsExchangedReadsOnOrTheOther() throws Exception {
    plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    List<Long> places = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      places.add(program.mmapPrivate(fd, PAGE, 0));
    }
    CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
      UserMemory cpu = program.task().newCpu();
      places.forEach(place -> cpu.putInt(place + 64, 1));
    });
    for (int number = 2; number < 12; number++) {
      upgrade(number);
    }
    writer.get(5, TimeUnit.MINUTES);
    for (long place : places) {
      assertThat(memory().getInt(place)).isBetween(1, 11);
    }
    assertThat(kernel.problems()).isEmpty();
    kernel.validate();
  }

  @Test
  void aHandlerMayMapAndUnmap() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    AtomicBoolean mapped = new AtomicBoolean();
    driver.action = value -> {
      try {
        // No lock is held: even the space that the access comes from can be changed.
        program.munmap(address + PAGE, PAGE);
        mapped.set(true);
      } catch (ErrnoException e) {
        throw new IllegalStateException(e);
      }
    };
    memory().putInt(address + RegisterDriver.ACTION, 1);
    assertThat(mapped).isTrue();
  }

  @Test
  void aQuarantinedDriverIsNotAsked() throws Exception {
    kernel.errorBudget(2);
    RegisterDriver driver = new RegisterDriver.Lazy(1, kernel.io(NODE));
    plugged = kernel.devices().register(NODE, driver);
    long address = map();
    driver.action = value -> {
      throw new IllegalStateException("fuse");
    };
    for (int i = 0; i < 3; i++) {
      assertSigbus(
          address + RegisterDriver.ACTION, () -> memory().getInt(address + RegisterDriver.ACTION));
    }
    assertThat(kernel.devices().find("/dev/registers").orElseThrow().state())
        .isEqualTo(State.QUARANTINED);
    assertSigbus(address, () -> memory().getInt(address));
    assertThat(kernel.restore("/dev/registers")).isEqualTo(1);
    assertThat(memory().getLong(address)).as("nopage maps it again").isEqualTo(1);
  }

  @Test
  void aFreedRegionAnswersNobody() throws Exception {
    plug();
    long address = map();
    kernel.io(NODE).free("registers");
    assertSigbus(address, () -> memory().getInt(address));
    assertThat(kernel.io(NODE).regions()).isEmpty();
  }

  @Test
  void accessesCanBeTraced() throws Exception {
    plug();
    List<String> told = new ArrayList<>();
    kernel.trace(event -> {
      if (event.kind() == TraceEvent.Kind.IO) {
        told.add(event.device() + " " + event.text());
      }
    });
    long address = map();
    memory().putInt(address + RegisterDriver.WORD, -2);
    assertThat(told).containsExactly(
        "/dev/registers I/O write of registers at 0x10, 4 bytes: 0xfffffffe");
  }

  // ---- another version --------------------------------------------------------------------------

  private RegisterDriver upgrade(int number) throws Exception {
    DeviceRegistration next = NODE.withVersion("1.0." + number);
    RegisterDriver driver = new RegisterDriver(number, kernel.io(next));
    plugged = kernel.devices().replace(plugged, next, driver, done -> {
    });
    return driver;
  }

  @Test
  void theHandlerChangesWithTheDriver() throws Exception {
    plug();
    long address = map();
    assertThat(memory().getInt(address + RegisterDriver.COUNTER)).isZero();
    RegisterDriver second = new RegisterDriver(2, kernel.io(NODE.withVersion("1.0.2")));
    assertThat(memory().getLong(address)).as("not before the upgrade").isEqualTo(1);
    plugged = kernel.devices().replace(
        plugged, NODE.withVersion("1.0.2"), second, done -> {
        });
    assertThat(memory().getLong(address)).isEqualTo(2);
    assertThat(memory().getInt(address + RegisterDriver.COUNTER)).isEqualTo(1);
    kernel.validate();
  }

  @Test
  void nobodySeesAnUpgrade() throws Exception {
    plug();
    long address = map();
    AtomicBoolean end = new AtomicBoolean();
    List<CompletableFuture<Long>> readers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      readers.add(CompletableFuture.supplyAsync(() -> {
        UserMemory cpu = program.task().newCpu();
        long last = 0;
        long count = 0;
        while (!end.get()) {
          long number = cpu.getLong(address);
          assertThat(number).isGreaterThanOrEqualTo(last);
          last = number;
          long unused = cpu.getInt(address + RegisterDriver.COUNTER);
          count++;
        }
        return count;
      }));
    }
    RegisterDriver last = null;
    for (int number = 2; number < 40; number++) {
      last = upgrade(number);
    }
    end.set(true);
    long counted = 0;
    for (CompletableFuture<Long> reader : readers) {
      counted += reader.get(5, TimeUnit.MINUTES);
    }
    assertThat(last).isNotNull();
    assertThat(last.counter.get()).as("no access was lost, none came twice").isEqualTo(counted);
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void anAccessUnderWayIsWaitedFor() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    driver.action = value -> {
      inside.countDown();
      try {
        assertThat(go.await(5, TimeUnit.MINUTES)).isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      driver.counter.set(1000);
    };
    CompletableFuture<Void> access = CompletableFuture.runAsync(
        () -> program.task().newCpu().putInt(address + RegisterDriver.ACTION, 1));
    assertThat(inside.await(5, TimeUnit.MINUTES)).isTrue();
    CompletableFuture<Long> upgraded = CompletableFuture.supplyAsync(() -> {
      try {
        return upgrade(2).number;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    Thread.sleep(100);
    assertThat(upgraded).isNotDone();
    go.countDown();
    assertThat(upgraded.get(5, TimeUnit.MINUTES)).isEqualTo(2);
    access.get(5, TimeUnit.MINUTES);
    assertThat(memory().getInt(address + RegisterDriver.COUNTER)).isEqualTo(1000);
  }

  @Test
  void aVersionThatGivesNoHandlerCannotTakeOver() throws Exception {
    plug();
    long address = map();
    DeviceRegistration next = NODE.withVersion("1.0.2");
    // Its handler is another version's.
    RegisterDriver mute = new RegisterDriver.Lazy(2, kernel.io(NODE.withVersion("1.0.3")));
    assertThatThrownBy(() -> kernel.devices().replace(plugged, next, mute, done -> {
    }))
        .hasMessageContaining("call IoMemory.region");
    assertThat(memory().getLong(address)).isEqualTo(1);
  }

  // ---- gaps -------------------------------------------------------------------------------------

  private CompletableFuture<Long> access(long address) {
    return CompletableFuture.supplyAsync(() -> program.task().newCpu().getLong(address));
  }

  @Test
  void withoutItsDriverAnAccessIsSigbus() throws Exception {
    plug();
    long address = map();
    plugged.close();
    assertSigbus(address, () -> memory().getLong(address));
  }

  @Test
  void anAccessWaitsForADriverThatIsToWaitFor() throws Exception {
    plug(UnplugPolicy.WAIT);
    long address = map();
    plugged.close();
    CompletableFuture<Long> waits = access(address);
    Thread.sleep(150);
    assertThat(waits).isNotDone();
    RegisterDriver back = plug(UnplugPolicy.WAIT);
    assertThat(waits.get(5, TimeUnit.MINUTES)).isEqualTo(1);
    memory().putInt(address + RegisterDriver.WORD, 8);
    assertThat(back.word).as("its registers are mapped again").isEqualTo(8);
    assertThat(kernel.proc().pagemap(program.task(), address, 1))
        .containsExactly(1L << 63 | back.region.frame() | 1L << 55);
    kernel.validate();
  }

  @Test
  void zerosTakeTheRegistersPlace() throws Exception {
    plug(UnplugPolicy.ZERO);
    long address = map();
    plugged.close();
    assertThat(memory().getLong(address)).isZero();
    memory().putLong(address, 5);
    assertThat(memory().getLong(address)).isEqualTo(5);
    plug(UnplugPolicy.ZERO);
    assertThat(memory().getLong(address)).as("the device is back").isEqualTo(1);
    kernel.validate();
  }

  @Test
  void adoptedAreasAreMappedAsTheirFlagsAllow() throws Exception {
    plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long shared = program.mmapShared(fd, PAGE, PAGE);
    long mine = program.mmapPrivate(fd, PAGE, 0);
    memory().putInt(mine, 3);
    upgrade(2);
    assertThat(memory().getInt(shared)).isEqualTo(-1);
    assertThat(memory().getInt(mine)).as("the copy is the process's").isEqualTo(3);
    plugged.close();
    assertSigbus(shared, () -> memory().getInt(shared));
  }

  @Test
  void whoIsInARegisterWhenTheDriverGoesGetsAnAnswerOrASignal() throws Exception {
    for (int round = 0; round < 20; round++) {
      plug();
      long address = map();
      AtomicBoolean signalled = new AtomicBoolean();
      Thread reader = Thread.ofPlatform().start(() -> {
        UserMemory cpu = program.task().newCpu();
        try {
          while (cpu.getLong(address) == 1) {
            Thread.onSpinWait();
          }
        } catch (SignalException e) {
          signalled.set(true);
        }
      });
      Thread.sleep(2);
      plugged.close();
      reader.join(TimeUnit.MINUTES.toMillis(5));
      assertThat(signalled).isTrue();
      program.munmap(address, 2L * PAGE);
      program.close(fd);
    }
    assertThat(kernel.problems()).isEmpty();
  }

  // ---- a region's end ---------------------------------------------------------------------------

  private String iomem() {
    return kernel.proc().iomem();
  }

  /** What happens when the driver's bundle stops. */
  private void stop() throws Exception {
    plugged.close();
    kernel.releaseIo(NODE);
  }

  @Test
  void aRegionGoesWithItsBundle() throws Exception {
    plug();
    assertThat(iomem()).contains(" : registers");
    plugged.close();
    assertThat(iomem()).as("the bundle has it still").contains(" : registers");
    kernel.releaseIo(NODE);
    assertThat(iomem()).doesNotContain("registers");
    assertThat(kernel.io(NODE).regions()).isEmpty();
  }

  @Test
  void aRegionStaysAsLongAsAnAreaOfItsDevicesIsLeft() throws Exception {
    plug();
    long address = map();
    Program child = program.fork();
    stop();
    assertSigbus(address, () -> memory().getLong(address));
    program.munmap(address, 2L * PAGE);
    assertThat(iomem()).as("the child has it mapped").contains(" : registers");
    kernel.tasks().exit(child.task(), 0);
    assertThat(iomem()).as("an open file is no mapping").doesNotContain("registers");
    kernel.validate();
  }

  @Test
  void whoComesBackToItsAreasFindsItsRegion() throws Exception {
    RegisterDriver first = plug();
    fd = program.open("/dev/registers", AccessMode.READ_WRITE);
    long mine = program.mmapPrivate(fd, 2L * PAGE, 0);
    stop();
    RegisterDriver back = plug();
    assertThat(back.region.frame()).isEqualTo(first.region.frame());
    assertThat(memory().getLong(mine)).as("its page offset is the frame's number").isEqualTo(1);
  }

  @Test
  void inAGapARegionIsKeptAndThenItGoes() throws Exception {
    kernel.gapMillis(TimeUnit.HOURS.toMillis(1));
    RegisterDriver first = plug();
    stop();
    assertThat(iomem()).contains(" : registers");
    RegisterDriver back = plug();
    assertThat(back.region.frame()).isEqualTo(first.region.frame());
    kernel.gapMillis(1);
    stop();
    while (iomem().contains("registers")) {
      Thread.sleep(1);
    }
    assertThat(plug().region.frame()).as("a number is given once")
        .isGreaterThan(first.region.frame());
  }

  @Test
  void anUpgradeKeepsTheRegion() throws Exception {
    plug();
    long address = map();
    String before = iomem();
    upgrade(2);
    kernel.releaseIo(NODE);
    assertThat(iomem()).isEqualTo(before);
    assertThat(memory().getLong(address)).isEqualTo(2);
  }

  @Test
  void aVersionThatStaysServesItsRegionAgain() throws Exception {
    RegisterDriver driver = plug();
    long address = map();
    plugged.close();
    plugged = kernel.devices().register(NODE, driver);
    assertThat(memory().getLong(address)).isEqualTo(1);
    assertThat(memory().getLong(program.mmapShared(fd, PAGE, 0))).isEqualTo(1);
    kernel.validate();
  }
}
