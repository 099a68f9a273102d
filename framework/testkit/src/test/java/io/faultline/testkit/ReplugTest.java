// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A driver goes while its device is open and mapped, and comes back or does not. */
@FaultlineTest
@Timeout(60)
class ReplugTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");
  private static final long LONG_GAP_MILLIS = 30_000;

  private final BootedKernel kernel;
  private final Program program;
  private StatefulDriver driver = new StatefulDriver("none");
  private int fd;

  ReplugTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private AutoCloseable plug(UnplugPolicy policy) throws ErrnoException {
    driver = new StatefulDriver("plugged", kernel.pages(NODE));
    return kernel.devices().register(NODE.withUnplug(policy), driver);
  }

  private long map() throws ErrnoException {
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    return program.mmapShared(fd, 4L * PAGE, 0);
  }

  /** An access by a thread of its own. */
  private CompletableFuture<Long> access(long address) {
    return CompletableFuture.supplyAsync(() -> program.task().newCpu().getLong(address));
  }

  private static void assertWaits(CompletableFuture<Long> access) throws InterruptedException {
    // Nothing may happen: that can only be waited for.
    Thread.sleep(200);
    assertThat(access).isNotDone();
  }

  @ParameterizedTest
  @EnumSource(UnplugPolicy.class)
  void whoComesBackUnderTheNameIsAskedToAdoptFilesAndAreas(UnplugPolicy policy) throws Exception {
    AutoCloseable first = plug(policy);
    long address = map();
    program.memory().putLong(address + PAGE + 8, 7);
    first.close();
    driver.free();

    AutoCloseable second = plug(policy);

    assertThat(driver.heard).containsExactly("adopt file", "adopt area");
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    assertThat(program.memory().getLong(address + PAGE + 8)).as("pages of its own").isZero();
    assertThat(program.read(fd, 0, 9)).isEqualTo("plugged 0");
    assertThat(kernel.devices().list()).singleElement()
        .satisfies(device -> assertThat(device.state()).isEqualTo(State.SERVING));
    kernel.validate();
    second.close();
    assertThat(driver.heard).endsWith("close", "release");
  }

  /** It is the process's memory: Linux keeps such copies on the books as anonymous. */
  @ParameterizedTest
  @EnumSource(UnplugPolicy.class)
  void whatAProcessHasCopiedPrivatelyStaysItsOwn(UnplugPolicy policy) throws Exception {
    AutoCloseable first = plug(policy);
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    long address = program.mmapPrivate(fd, 4L * PAGE, 0);
    program.memory().putLong(address + 8, 42);
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    first.close();

    assertThat(program.memory().getLong(address + 8)).isEqualTo(42);
    if (policy == UnplugPolicy.SIGBUS) {
      assertSigbus(address + PAGE, () -> program.memory().getLong(address + PAGE));
    }
    driver.free();
    AutoCloseable second = plug(policy);

    assertThat(program.memory().getLong(address + 8)).isEqualTo(42);
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    kernel.validate();
    second.close();
  }

  @Test
  void sigbusIsTheAnswerOfADeviceThatDeclaresNothing() throws Exception {
    AutoCloseable first = plug(NODE.unplug());
    long address = map();
    assertThat(program.memory().getLong(address)).isZero();
    first.close();
    assertSigbus(address, () -> program.memory().getLong(address));
    assertThat(driver.heard).containsExactly("close", "release");
  }

  @Test
  void anAccessWaitsForADriverThatComesBackWithinTheGap() throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    first.close();
    CompletableFuture<Long> access = access(address + PAGE);
    assertWaits(access);

    AutoCloseable unused = plug(UnplugPolicy.SIGBUS);

    assertThat(access.get(20, TimeUnit.SECONDS)).isEqualTo(1);
  }

  @Test
  void aReadWaitsToo() throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    map();
    first.close();
    CompletableFuture<String> read = CompletableFuture.supplyAsync(() -> {
      try {
        return program.read(fd, 0, 9);
      } catch (ErrnoException e) {
        return e.toString();
      }
    });
    Thread.sleep(100);
    assertThat(read).isNotDone();
    AutoCloseable unused = plug(UnplugPolicy.SIGBUS);
    assertThat(read.get(20, TimeUnit.SECONDS)).isEqualTo("plugged 0");
  }

  /** What a thread of its own does while the driver is away, for a while and then for good. */
  private interface Body {
    Object run() throws ErrnoException;
  }

  private static CompletableFuture<Object> meanwhile(Body body) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return body.run();
      } catch (ErrnoException e) {
        return e.errno();
      }
    });
  }

  private Map<String, Body> callsThatWait(long address) {
    long end = 4L * PAGE;
    int rw = Mman.PROT_READ | Mman.PROT_WRITE;
    byte[] byteToWrite = {1};
    return Map.of(
        "open", () -> program.open("/dev/state", AccessMode.READ_WRITE),
        "mmap", () -> program.mmapShared(fd, PAGE, 0),
        "mmap, MAP_POPULATE",
        () -> program.mmap(fd, PAGE, rw, Mman.MAP_SHARED | Mman.MAP_POPULATE, 0),
        "mmap, MAP_PRIVATE", () -> program.mmapPrivate(fd, PAGE, 0),
        "MADV_POPULATE_READ", () -> {
          program.madvise(address, end, Mman.MADV_POPULATE_READ);
          return 0;
        },
        "MADV_POPULATE_WRITE", () -> {
          program.madvise(address, end, Mman.MADV_POPULATE_WRITE);
          return 0;
        },
        "mlock", () -> {
          kernel.vmas().mlock(program.task(), address, end);
          return 0;
        },
        "read", () -> program.read(fd, 0, 9),
        "write", () -> kernel.files().write(
            program.task(), fd, MemorySegment.ofArray(byteToWrite)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"open", "mmap", "mmap, MAP_POPULATE", "mmap, MAP_PRIVATE",
    "MADV_POPULATE_READ", "MADV_POPULATE_WRITE", "mlock", "read", "write"})
  void aCallWaitsForADriverThatComesBackWithinTheGap(String name) throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    first.close();
    CompletableFuture<Object> call = meanwhile(callsThatWait(address).get(name));
    Thread.sleep(150);
    assertThat(call).isNotDone();

    AutoCloseable unused = plug(UnplugPolicy.SIGBUS);

    assertThat(call.get(20, TimeUnit.SECONDS)).isNotInstanceOf(Errno.class);
    kernel.validate();
  }

  @ParameterizedTest
  @CsvSource({"open, ENXIO", "mmap, ENODEV", "'mmap, MAP_POPULATE', ENODEV",
    "MADV_POPULATE_READ, EFAULT", "MADV_POPULATE_WRITE, EFAULT", "mlock, ENOMEM", "read, ENXIO",
    "write, ENXIO"})
  void aCallFailsWhenTheGapIsOver(String name, Errno errno) throws Exception {
    kernel.gapMillis(150);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    long began = System.nanoTime();
    first.close();
    CompletableFuture<Object> call = meanwhile(callsThatWait(address).get(name));
    assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo(errno);
    assertThat(System.nanoTime() - began).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(150));
  }

  @ParameterizedTest
  @ValueSource(strings = {"open", "mmap", "MADV_POPULATE_READ", "mlock", "read"})
  void aCallThatWaitsIsEndedByInterruptAndHoldsUpNoExit(String name) throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    first.close();
    Body body = callsThatWait(address).get(name);
    CompletableFuture<Object> interrupted = new CompletableFuture<>();
    Thread thread = Thread.ofPlatform().start(() -> {
      try {
        interrupted.complete(body.run());
      } catch (ErrnoException e) {
        interrupted.complete(e.errno());
      }
    });
    CompletableFuture<Object> killed = meanwhile(body);
    Thread.sleep(150);
    assertThat(interrupted).isNotDone();

    thread.interrupt();

    assertThat(interrupted.get(20, TimeUnit.SECONDS)).isEqualTo(Errno.EINTR);
    assertThat(killed).isNotDone();
    long began = System.nanoTime();
    kernel.tasks().exit(program.task(), 0);
    assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(20));
    assertThat(killed.get(20, TimeUnit.SECONDS)).isInstanceOf(Errno.class);
  }

  @Test
  void anOpenWaitsWhereNobodyHadTheDeviceOpen() throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    plug(UnplugPolicy.SIGBUS).close();
    assertThat(kernel.devices().list()).isEmpty();
    CompletableFuture<Object> open =
        meanwhile(() -> program.open("/dev/state", AccessMode.READ_WRITE));
    Thread.sleep(150);
    assertThat(open).isNotDone();
    AutoCloseable unused = plug(UnplugPolicy.SIGBUS);
    assertThat(open.get(20, TimeUnit.SECONDS)).isEqualTo(0);
  }

  @Test
  void anOpenOfADeviceThatNobodyHasAnyMoreFailsWhenTheGapIsOver() throws Exception {
    kernel.gapMillis(100);
    plug(UnplugPolicy.WAIT).close();
    CompletableFuture<Object> open =
        meanwhile(() -> program.open("/dev/state", AccessMode.READ_WRITE));
    assertThat(open.get(20, TimeUnit.SECONDS)).isEqualTo(Errno.ENOENT);
  }

  /** What a thread has met at a driver that is gone has nothing to do with the next one. */
  @Test
  void whoHasMetADriverThatIsGoneWaitsForNoOther() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    first.close();
    AutoCloseable unused =
        kernel.devices().register(DeviceRegistration.of("plain"), new MmapProvider() {});
    AutoCloseable alsoUnused =
        kernel.devices().register(
            DeviceRegistration.of("bare"),
            new MmapProvider() {
              @Override
              public void mmap(OpenFile file, MmapRequest request) {
                request.setOperations(new VmOperations() {});
              }
            });
    int plain = program.open("/dev/plain", AccessMode.READ_WRITE);
    int bare = program.open("/dev/bare", AccessMode.READ_WRITE);
    long empty = program.mmapShared(bare, PAGE, 0);

    CompletableFuture<Void> thread = CompletableFuture.runAsync(() -> {
      UserMemory memory = program.task().newCpu();
      assertThatThrownBy(() -> memory.getLong(address)).isInstanceOf(SignalException.class);
      assertThatThrownBy(() -> memory.getLong(empty)).isInstanceOf(SignalException.class)
          .hasMessageContaining("/dev/bare: no page is mapped there");
      assertThatThrownBy(() -> memory.getLong(address)).isInstanceOf(SignalException.class);
      Refusals.assertFails(Errno.ENODEV, () -> program.mmapShared(plain, PAGE, 0));
    });

    thread.get(10, TimeUnit.SECONDS);
  }

  @Test
  void aMappingThatWaitsKeepsItsFileWhenThatIsClosed() throws Exception {
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    first.close();
    CompletableFuture<Long> mapping = CompletableFuture.supplyAsync(() -> {
      try {
        return program.mmapShared(fd, 4L * PAGE, 0);
      } catch (ErrnoException e) {
        throw new IllegalStateException(e);
      }
    });
    assertWaits(mapping);
    program.close(fd);

    AutoCloseable second = plug(UnplugPolicy.SIGBUS);

    long address = mapping.get(10, TimeUnit.SECONDS);
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    program.munmap(address, 4L * PAGE);
    assertThat(driver.heard).containsExactly("adopt file", "close", "release");
    second.close();
    kernel.validate();
  }

  @Test
  void whenTheGapIsOverThePolicyAnswers() throws Exception {
    kernel.gapMillis(150);
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    long before = System.nanoTime();
    first.close();
    assertSigbus(address, () -> program.memory().getLong(address));
    assertThat(System.nanoTime() - before).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(150));
  }

  @Test
  void waitIsEndedByTheDriversReturnAlone() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.WAIT);
    long address = map();
    first.close();
    CompletableFuture<Long> access = access(address + 2L * PAGE);
    assertWaits(access);
    AutoCloseable unused = plug(UnplugPolicy.WAIT);
    assertThat(access.get(20, TimeUnit.SECONDS)).isEqualTo(2);
  }

  @Test
  void waitIsEndedByKill() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.WAIT);
    long address = map();
    first.close();
    CompletableFuture<Long> access = access(address);
    assertWaits(access);

    kernel.tasks().kill(program.task(), Signal.SIGKILL);

    assertThatThrownBy(() -> access.get(20, TimeUnit.SECONDS))
        .hasCauseInstanceOf(SignalException.class);
  }

  @Test
  void waitIsEndedByInterrupt() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.WAIT);
    long address = map();
    first.close();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread = Thread.ofPlatform().start(() -> {
      try {
        program.task().newCpu().getLong(address);
      } catch (SignalException e) {
        thrown.set(e);
      }
    });
    Thread.sleep(100);
    thread.interrupt();
    thread.join();
    assertThat(thrown.get()).hasMessageContaining("interrupted");
  }

  @Test
  void whoWaitsHoldsNoLockOfItsSpace() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.WAIT);
    long address = map();
    first.close();
    CompletableFuture<Long> access = access(address);
    assertWaits(access);

    program.munmap(address, 4L * PAGE);

    assertThatThrownBy(() -> access.get(20, TimeUnit.SECONDS))
        .cause().hasMessageContaining("nothing is mapped");
  }

  @Test
  void zeroGivesPagesOfZerosThatCanBeWritten() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.ZERO);
    long address = map();
    assertThat(program.memory().getLong(address + 3L * PAGE)).isEqualTo(3);
    first.close();

    assertThat(program.memory().getLong(address + 3L * PAGE)).isZero();
    program.memory().putLong(address, 5);
    assertThat(program.memory().getLong(address)).isEqualTo(5);
    kernel.validate();
    program.munmap(address, 4L * PAGE);
  }

  @Test
  void oneThatDoesNotHandOverLeavesWhatIsLeftAlone() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.SIGBUS);
    long address = map();
    first.close();
    AutoCloseable unused =
        kernel.devices().register(NODE, new io.faultline.device.MmapProvider() {});
    assertSigbus(address, () -> program.memory().getLong(address));
    assertThat(program.task().files()).hasSize(1);
  }

  // ---- what it saved is kept --------------------------------------------------------------------

  private AutoCloseable plug(StatefulDriver next, String version) {
    driver = next;
    return kernel.devices().register(NODE.withVersion(version), next);
  }

  private StatefulDriver driverWithPages(String version) throws ErrnoException {
    return new StatefulDriver(version, kernel.pages(NODE.withVersion(version)));
  }

  /** As a bundle that is stopped: its component frees what it has, its account is closed. */
  private void unplug(AutoCloseable plugged, String version) throws Exception {
    plugged.close();
    driver.free();
    assertThat(kernel.pages(NODE.withVersion(version)).allocated()).isZero();
  }

  @Test
  void whoComesBackHasTheStateAndThePagesThatWereSaved() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable first = plug(driverWithPages("1"), "1");
    long address = map();
    program.memory().putLong(address + PAGE + 8, 7);
    assertThat(program.read(fd, 0, 9)).isEqualTo("1 0");
    unplug(first, "1");
    assertThat(driver.heard).containsExactly("saveState", "close", "release");

    AutoCloseable second = plug(new StatefulDriver("2"), "2");

    assertThat(driver.heard).containsExactly("restoreState", "adopt file", "adopt area");
    assertThat(program.memory().getLong(address + PAGE + 8)).isEqualTo(7);
    assertThat(program.read(fd, 0, 9)).as("its number too").isEqualTo("2 1");
    assertThat(kernel.pages(NODE.withVersion("2")).allocated()).isEqualTo(StatefulDriver.PAGES);
    assertThat(driver.pages().getLast().referenceCount()).isEqualTo(1);
    assertThat(kernel.kept()).isEmpty();
    kernel.validate();
    unplug(second, "2");
  }

  @Test
  void whatIsKeptIsListedAndCanBeFreed() throws Exception {
    kernel.keptBytes(1 << 20);
    long before = kernel.frames().free();
    AutoCloseable first = plug(driverWithPages("1"), "1");
    unplug(first, "1");

    assertThat(kernel.kept())
        .containsExactly(
            new KeptMemory(
                "/dev/state", "state", "1", StatefulDriver.PAGES,
                8 + 4 + 8 * StatefulDriver.PAGES));
    assertThat(before - kernel.frames().free()).isEqualTo(StatefulDriver.PAGES);
    assertThat(kernel.forget("/dev/none")).isZero();

    assertThat(kernel.forget("/dev/state")).isEqualTo(1);

    assertThat(kernel.kept()).isEmpty();
    assertThat(kernel.frames().free()).isEqualTo(before);
  }

  @Test
  void aStateThatIsRefusedStaysKeptAndTheDriverServes() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable first = plug(driverWithPages("1"), "1");
    long address = map();
    program.memory().putLong(address + 8, 7);
    unplug(first, "1");
    StatefulDriver picky = new StatefulDriver("2", kernel.pages(NODE.withVersion("2"))) {
      @Override
      public void restoreState(int index, int version, StateReader in)
          throws IOException, ErrnoException {
        in.readLong();
        in.readInt();
        in.readPage();
        throw new ErrnoException(Errno.EINVAL, "not of this format");
      }

      @Override
      public void saveState(int index, StateWriter out) throws IOException {
        throw new IOException("nothing worth it");
      }
    };

    AutoCloseable second = plug(picky, "2");

    assertThat(program.memory().getLong(address + 8)).as("its own pages").isZero();
    assertThat(kernel.problems()).singleElement().asString()
        .contains("serves without what was kept of /dev/state", "not of this format",
            "driver forget /dev/state");
    assertThat(kernel.kept()).hasSize(1);
    unplug(second, "2");

    AutoCloseable third = plug(new StatefulDriver("3"), "3");
    assertThat(program.memory().getLong(address + 8)).as("nothing is lost").isEqualTo(7);
    unplug(third, "3");
  }

  @Test
  void anotherBundlesDriverGetsFilesAndAreasButNoState() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable first = plug(driverWithPages("1"), "1");
    long address = map();
    unplug(first, "1");
    DeviceRegistration stranger =
        new DeviceRegistration(
            NODE.name(), 0, 0, 1, NODE.timeoutMillis(), "stranger", "1", UnplugPolicy.SIGBUS);
    StatefulDriver other = new StatefulDriver("stranger", kernel.pages(stranger));

    AutoCloseable second = kernel.devices().register(stranger, other);

    assertThat(other.heard).containsExactly("adopt file", "adopt area");
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    assertThat(kernel.kept()).singleElement()
        .satisfies(kept -> assertThat(kept.driver()).isEqualTo("state"));
    second.close();
    other.free();
    assertThat(kernel.kept()).extracting(KeptMemory::driver).containsExactly("state", "stranger");
  }

  @Test
  void theOldestIsFreedWhenTooMuchIsKept() throws Exception {
    kernel.keptBytes((long) (StatefulDriver.PAGES + StatefulDriver.PAGES / 2) * PAGE);
    for (String name : List.of("one", "two")) {
      DeviceRegistration node = DeviceRegistration.of(name);
      StatefulDriver saving = new StatefulDriver(name, kernel.pages(node));
      kernel.devices().register(node, saving).close();
      saving.free();
    }
    assertThat(kernel.kept()).extracting(KeptMemory::what).containsExactly("/dev/two");
    assertThat(kernel.problems()).singleElement().asString()
        .contains("one", "/dev/one", "driver.kept.bytes");
  }

  @Test
  void aSaveThatFailsIsToldAndTheDriverGoes() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable first = plug(new StatefulDriver("1") {
      @Override
      public void saveState(int index, StateWriter out) throws IOException {
        throw new IOException("no room");
      }
    }, "1");
    first.close();
    assertThat(kernel.problems())
        .anyMatch(line -> line.contains("is not kept") && line.contains("no room"));
    assertThat(kernel.devices().list()).isEmpty();
    assertThat(kernel.kept()).isEmpty();
  }

  @Test
  void aSaveThatHangsHoldsUpTheRemovalForItsLimitOnly() throws Exception {
    kernel.keptBytes(1 << 20);
    StatefulDriver slow = new StatefulDriver("1") {
      @Override
      void hear(String call) throws Exception {
        super.hear(call);
        if (call.equals("saveState")) {
          Thread.sleep(60_000);
        }
      }
    };
    AutoCloseable first =
        kernel.devices().register(NODE.withTimeoutMillis(200), slow);
    long began = System.nanoTime();
    first.close();
    assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(50));
    assertThat(kernel.problems()).anyMatch(line -> line.contains("is not kept"));
  }

  @Test
  void oneThatWasNeverThrownAwayKeepsItsOwnState() throws Exception {
    kernel.keptBytes(1 << 20);
    AutoCloseable first = plug(driverWithPages("1"), "1");
    long address = map();
    program.memory().putLong(address + 8, 7);
    first.close();
    AutoCloseable again = plug(driver, "1");
    assertThat(driver.heard).doesNotContain("restoreState");
    assertThat(program.memory().getLong(address + 8)).isEqualTo(7);
    assertThat(kernel.kept()).isEmpty();
    again.close();
  }

  @Test
  void whatADriverSavesCarriesUnderLoadThroughManyGaps() throws Exception {
    kernel.keptBytes(1 << 20);
    kernel.gapMillis(LONG_GAP_MILLIS);
    AutoCloseable plugged = plug(driverWithPages("0"), "0");
    long address = map();
    AtomicBoolean stop = new AtomicBoolean();
    CompletableFuture<Long> rounds = CompletableFuture.supplyAsync(() -> {
      UserMemory memory = program.task().newCpu();
      long round = 0;
      while (!stop.get()) {
        round++;
        for (int i = 0; i < 4; i++) {
          memory.putLong(address + (long) i * PAGE + 8, round * 31 + i);
        }
        for (int i = 0; i < 4; i++) {
          assertThat(memory.getLong(address + (long) i * PAGE)).isEqualTo(i);
          assertThat(memory.getLong(address + (long) i * PAGE + 8)).isEqualTo(round * 31 + i);
        }
      }
      return round;
    });
    for (int i = 1; i <= 50; i++) {
      unplug(plugged, Integer.toString(i - 1));
      plugged = plug(new StatefulDriver("later"), Integer.toString(i));
    }
    stop.set(true);
    assertThat(rounds.get(30, TimeUnit.SECONDS)).isPositive();
    assertThat(kernel.problems()).isEmpty();
    unplug(plugged, "50");
  }

  // ---- quarantine -------------------------------------------------------------------------------

  private final class Failing extends StatefulDriver {
    private boolean fails = true;

    Failing() throws ErrnoException {
      super("failing", kernel.pages(NODE));
    }

    @Override
    public io.faultline.mm.Nopage nopage(
        io.faultline.mm.Vma vma, long address, io.faultline.mm.Access access) {
      if (fails && vma.pageOffsetOf(address) == 3) {
        throw new IllegalStateException("page 3");
      }
      return super.nopage(vma, address, access);
    }
  }

  private Failing failing(UnplugPolicy policy) throws ErrnoException {
    kernel.errorBudget(5);
    Failing bad = new Failing();
    AutoCloseable unused = kernel.devices().register(NODE.withUnplug(policy), bad);
    return bad;
  }

  private void useUpTheBudget(long address) {
    for (int i = 0; i < 6; i++) {
      assertSigbus(address + 3L * PAGE, () -> program.memory().getLong(address + 3L * PAGE));
    }
  }

  private State state() {
    return kernel.devices().find("/dev/state").orElseThrow().state();
  }

  @Test
  void whoFailsTooOftenIsQuarantinedAndAnswersAsUnplugged() throws Exception {
    Failing bad = failing(UnplugPolicy.SIGBUS);
    long address = map();
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);

    useUpTheBudget(address);

    assertThat(state()).isEqualTo(State.QUARANTINED);
    assertSigbus(address + 2L * PAGE, () -> program.memory().getLong(address + 2L * PAGE));
    Refusals.assertFails(Errno.ENXIO, () -> program.read(fd, 0, 8));
    Refusals.assertFails(Errno.ENODEV, () -> program.mmapShared(fd, PAGE, 0));
    assertThat(kernel.problems())
        .anyMatch(l -> l.contains("quarantined") && l.contains("driver restore /dev/state"));
    // Its pages are taken out by the watchdog's next rounds.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    boolean zapped = false;
    while (!zapped && System.nanoTime() < end) {
      try {
        program.memory().getLong(address + PAGE);
        Thread.sleep(10);
      } catch (SignalException sigbus) {
        zapped = true;
      }
    }
    assertThat(zapped).isTrue();
    assertThat(bad.heard).isEmpty();
  }

  @Test
  void restoreBringsItBackWithItsAreas() throws Exception {
    Failing bad = failing(UnplugPolicy.SIGBUS);
    long address = map();
    useUpTheBudget(address);
    bad.fails = false;

    assertThat(kernel.restore("/dev/state")).isEqualTo(1);

    assertThat(state()).isEqualTo(State.SERVING);
    assertThat(program.memory().getLong(address + 3L * PAGE)).isEqualTo(3);
    assertThat(program.read(fd, 0, 9)).isEqualTo("failing 0");
    assertThat(kernel.restore("/dev/state")).as("is none").isZero();
  }

  @Test
  void inQuarantineThePolicyIsTheDevices() throws Exception {
    failing(UnplugPolicy.ZERO).fails = true;
    long address = map();
    for (int i = 0; i < 6; i++) {
      assertSigbus(address + 3L * PAGE, () -> program.memory().getLong(address + 3L * PAGE));
    }
    assertThat(program.memory().getLong(address + 3L * PAGE)).isZero();
    kernel.restore("state");
    assertThat(program.memory().getLong(address + 2L * PAGE)).isEqualTo(2);
  }

  @Test
  void aQuarantinedDriverStillHearsOfClosesAndCanBeRemoved() throws Exception {
    Failing bad = failing(UnplugPolicy.SIGBUS);
    long address = map();
    useUpTheBudget(address);
    program.munmap(address, 4L * PAGE);
    assertThat(bad.heard).containsExactly("close");
  }

  /** Maps its areas up front: bare frames, or counted pages. Fails at reads. */
  private final class UpFront implements MmapProvider, HandOver, VmOperations {
    final List<String> heard = new CopyOnWriteArrayList<>();
    private final boolean bare;
    private final List<Page> pages;
    boolean fails = true;
    boolean refuses;
    int areas;

    UpFront(boolean bare) throws ErrnoException {
      this.bare = bare;
      pages = kernel.pages(NODE).allocate(2);
      for (int i = 0; i < pages.size(); i++) {
        pages.get(i).segment().set(ValueLayout.JAVA_LONG, 0, 70 + i);
      }
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.setOperations(this);
      request.setPrivateData(new Object());
      areas++;
      if (bare) {
        request.remapPfnRange(request.start(), pages.getFirst().frameNumber(), 4L * PAGE);
      } else {
        for (int i = 0; i < 4; i++) {
          request.insertPage(request.start() + (long) i * PAGE, pages.get(i));
        }
      }
    }

    @Override
    public int read(OpenFile file, long offset, MemorySegment target) {
      if (fails) {
        throw new IllegalStateException("read");
      }
      return 0;
    }

    @Override
    public void open(Vma copy) {
      areas++;
    }

    @Override
    public void close(Vma area) {
      heard.add(area.privateData() == null ? "close" : "close of the mapping");
      areas--;
    }

    @Override
    public void adopt(Adoption area) throws ErrnoException {
      heard.add("adopt " + area.pagesLost());
      if (refuses) {
        throw new ErrnoException(Errno.EBUSY, "not that one");
      }
      area.setOperations(this);
      areas++;
      long start = area.vma().start();
      if (bare) {
        area.remapPfnRange(start, pages.getFirst().frameNumber(), 4L * PAGE);
      } else {
        for (int i = 0; i < 4; i++) {
          area.insertPage(start + (long) i * PAGE, pages.get(i));
        }
      }
    }
  }

  private long quarantined(UpFront upFront) throws Exception {
    kernel.errorBudget(5);
    AutoCloseable unused = kernel.devices().register(NODE, upFront);
    long address = map();
    assertThat(program.memory().getLong(address + 3L * PAGE)).isEqualTo(73);
    for (int i = 0; i < 6; i++) {
      Refusals.assertFails(Errno.EIO, () -> program.read(fd, 0, 8));
    }
    assertThat(state()).isEqualTo(State.QUARANTINED);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (isReadable(address) && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertSigbus(address, () -> program.memory().getLong(address));
    return address;
  }

  private boolean isReadable(long address) {
    try {
      long unused = program.memory().getLong(address);
      return true;
    } catch (SignalException refused) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void areasThatAreMappedUpFrontAreAdoptedWhenADriverIsRestored(boolean bare) throws Exception {
    UpFront upFront = new UpFront(bare);
    long address = quarantined(upFront);
    Program child = program.fork();
    upFront.fails = false;

    assertThat(kernel.restore("/dev/state")).isEqualTo(1);

    assertThat(upFront.heard)
        .containsExactly(
            "adopt true", "close of the mapping", "adopt true", "close of the mapping");
    for (int i = 0; i < 4; i++) {
      assertThat(program.memory().getLong(address + (long) i * PAGE)).isEqualTo(70 + i);
      assertThat(child.memory().getLong(address + (long) i * PAGE)).isEqualTo(70 + i);
    }
    assertThat(upFront.areas).as("as many as before").isEqualTo(2);
    kernel.validate();
    kernel.tasks().exit(child.task(), 0);
    program.munmap(address, 4L * PAGE);
    assertThat(upFront.areas).isZero();
    assertThat(upFront.pages.getFirst().referenceCount()).isEqualTo(1);
  }

  @Test
  void anAreaThatTheRestoredDriverRefusesAnswersSigbusAndIsClosedOnce() throws Exception {
    UpFront upFront = new UpFront(true);
    long address = quarantined(upFront);
    upFront.refuses = true;
    upFront.fails = false;
    assertThat(kernel.restore("/dev/state")).isEqualTo(1);
    assertSigbus(address, () -> program.memory().getLong(address));
    assertThat(kernel.problems()).anyMatch(l -> l.contains("has lost its pages"));
    program.munmap(address, 4L * PAGE);
    assertThat(upFront.heard).containsExactly("adopt true", "close of the mapping");
    assertThat(upFront.areas).isZero();
  }
}
