// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import io.faultline.kernel.UpgradeException.Step;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A driver takes another one's place while its device is open and mapped. */
@FaultlineTest
@Timeout(600)
class UpgradeTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");

  private final BootedKernel kernel;
  private final Program program;
  private final StatefulDriver old;
  private final AutoCloseable registered;
  private final int fd;
  private final long address;

  UpgradeTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    old = new StatefulDriver("old", kernel.pages(version(1)));
    registered = kernel.devices().register(version(1), old);
    program = kernel.spawn();
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    address = program.mmapShared(fd, 4L * PAGE, 0);
  }

  private static DeviceRegistration version(int number) {
    return NODE.withVersion(number + ".0.0");
  }

  private Upgrade upgrade(MmapProvider next) throws UpgradeException {
    List<Upgrade> done = new ArrayList<>();
    AutoCloseable unused = kernel.devices().replace(registered, version(2), next, done::add);
    kernel.validate();
    return done.getFirst();
  }

  private UpgradeException refusal(MmapProvider next) {
    UpgradeException refusal =
        catchThrowableOfType(UpgradeException.class, () -> upgrade(next));
    assertThat(refusal).isNotNull();
    kernel.validate();
    return refusal;
  }

  private String read() throws ErrnoException {
    byte[] buffer = new byte[16];
    MemorySegment target = MemorySegment.ofArray(buffer);
    int count = (int) kernel.files().read(program.task(), fd, target);
    return new String(buffer, 0, count, StandardCharsets.US_ASCII);
  }

  private DeviceInfo device() {
    return kernel.devices().find("/dev/state").orElseThrow();
  }

  private static StatefulDriver failing(String at, Exception how) {
    return new StatefulDriver("new") {
      @Override
      void hear(String call) throws Exception {
        super.hear(call);
        if (call.equals(at)) {
          throw how;
        }
      }
    };
  }

  @Test
  void pagesThatAreMappedStayMappedAndOthersComeFromTheNewDriver() throws Exception {
    program.memory().putLong(address + 8, 42);
    StatefulDriver next = new StatefulDriver("new");

    Upgrade upgrade = upgrade(next);

    assertThat(program.memory().getLong(address + 8)).isEqualTo(42);
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    assertThat(upgrade.areas()).isEqualTo(1);
    assertThat(upgrade.files()).isEqualTo(1);
    assertThat(upgrade.pages()).isEqualTo(StatefulDriver.PAGES);
    assertThat(next.heard)
        .containsExactly("selfTest", "restoreState", "adopt file", "adopt area");
  }

  @Test
  void theOldDriverIsNeitherClosedNorReleasedAndTheNewOneIsOnce() throws Exception {
    StatefulDriver next = new StatefulDriver("new");
    upgrade(next);
    old.free();
    registered.close();

    kernel.tasks().exit(program.task(), 0);

    assertThat(old.heard).containsExactly("saveState");
    assertThat(next.heard).endsWith("close", "release");
    assertThat(next.areas).hasValue(0);
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void stateGoesOver() throws Exception {
    assertThat(read()).isEqualTo("old 0");
    upgrade(new StatefulDriver("new"));
    assertThat(read()).isEqualTo("new 1");
  }

  @Test
  void pagesHaveTheNewOwner() throws Exception {
    upgrade(new StatefulDriver("new"));

    assertThat(kernel.pages(version(1)).allocated()).isZero();
    assertThat(kernel.pages(version(2)).allocated()).isEqualTo(StatefulDriver.PAGES);
    assertThat(device().pages()).isEqualTo(StatefulDriver.PAGES);
  }

  @Test
  void theOldDriverMayFreeItsPagesAsItAlwaysDid() throws Exception {
    StatefulDriver next = new StatefulDriver("new");
    upgrade(next);

    old.free();

    assertThat(next.pages().getFirst().referenceCount()).isEqualTo(1);
    assertThat(program.memory().getLong(address + 2L * PAGE)).isEqualTo(2);
    next.free();
    assertThat(kernel.pages(version(2)).allocated()).isZero();
  }

  @Test
  void theDeviceNamesTheNewVersionAndAnotherGeneration() throws Exception {
    long before = device().generation();
    upgrade(new StatefulDriver("new"));
    assertThat(device().driverVersion()).isEqualTo("2.0.0");
    assertThat(device().generation()).isGreaterThan(before);
    assertThat(device().openFiles()).isEqualTo(1);
    assertThat(device().areas()).isEqualTo(1);
    assertThat(kernel.devices().list()).hasSize(1);
  }

  @Test
  void closingTheOldRegistrationAfterwardsDoesNothing() throws Exception {
    upgrade(new StatefulDriver("new"));
    registered.close();
    assertThat(program.memory().getLong(address + 3L * PAGE)).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"selfTest, SELF_TEST", "restoreState, RESTORE", "adopt file, ADOPT",
    "adopt area, ADOPT"})
  void aNewDriverThatRefusesLeavesTheOldOneAsItWas(String at, Step step) throws Exception {
    StatefulDriver next = failing(at, new ErrnoException(Errno.EPERM, "not me"));

    UpgradeException refusal = refusal(next);

    assertThat(refusal.step()).isEqualTo(step);
    assertThat(refusal).hasMessageContaining("not me");
    assertThat(read()).isEqualTo("old 0");
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
    assertThat(old.areas).hasValue(1);
    assertThat(kernel.pages(version(1)).allocated()).isEqualTo(StatefulDriver.PAGES);
    assertThat(kernel.pages(version(2)).allocated()).isZero();
    assertThat(old.pages().getLast().referenceCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"selfTest, SELF_TEST", "restoreState, RESTORE", "adopt area, ADOPT"})
  void aNewDriverThatThrowsLeavesTheOldOneAsItWas(String at, Step step) throws Exception {
    UpgradeException refusal = refusal(failing(at, new IllegalStateException("oh")));
    assertThat(refusal.step()).isEqualTo(step);
    assertThat(refusal).hasMessageContaining("oh");
    assertThat(read()).isEqualTo("old 0");
  }

  @Test
  void oneRefusedAreaOfSeveralKeepsTheOldDriverForAll() throws Exception {
    program.mmapShared(fd, PAGE, 8L * PAGE);
    StatefulDriver next = new StatefulDriver("new") {
      private int asked;

      @Override
      void hear(String call) throws Exception {
        super.hear(call);
        if (call.equals("adopt area") && ++asked == 2) {
          throw new ErrnoException(Errno.EBUSY, "one is enough");
        }
      }
    };

    UpgradeException refusal = refusal(next);

    assertThat(refusal).hasMessageContainingAll("adopt: ", "process 1", "one is enough");
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
  }

  @Test
  void aDriverThatCannotSaveItsStateStays() throws Exception {
    StatefulDriver next = new StatefulDriver("new");
    StatefulDriver broken = failing("saveState", new java.io.IOException("no room"));
    AutoCloseable first = kernel.devices().register(DeviceRegistration.of("broken"), broken);
    UpgradeException refusal =
        catchThrowableOfType(
            UpgradeException.class,
            () -> kernel.devices().replace(
                first, DeviceRegistration.of("broken"), next, upgrade -> {
                }));
    assertThat(refusal.step()).isEqualTo(Step.SAVE);
    assertThat(refusal).hasMessageContaining("no room");
  }

  @Test
  void aDriverWithoutHandOverCannotTakeOverAnArea() throws Exception {
    UpgradeException refusal = refusal(new MmapProvider() {});
    assertThat(refusal).hasMessageContainingAll("adopt: ", "HandOver");
    assertThat(program.memory().getLong(address + PAGE)).isEqualTo(1);
  }

  @Test
  void aDriverWithoutHandOverCanReplaceOneThatNobodyUses() throws Exception {
    MmapProvider one = new MmapProvider() {};
    AutoCloseable first = kernel.devices().register(DeviceRegistration.of("plain"), one);
    int plain = program.open("/dev/plain", AccessMode.READ_WRITE);
    MmapProvider two = new MmapProvider() {
      @Override
      public int read(OpenFile file, long offset, MemorySegment target) {
        return 2;
      }
    };
    AutoCloseable unused = kernel.devices().replace(
        first, DeviceRegistration.of("plain"), two, upgrade -> {
        });
    assertThat(kernel.files().read(program.task(), plain, MemorySegment.ofArray(new byte[4])))
        .isEqualTo(2);
  }

  // ---- more nodes, fewer nodes ------------------------------------------------------------------

  private static final DeviceRegistration SEVERAL = DeviceRegistration.of("several");

  private List<String> paths() {
    return kernel.devices().list().stream().map(DeviceInfo::path)
        .filter(path -> path.startsWith("/dev/several")).toList();
  }

  private AutoCloseable several(int count) throws ErrnoException {
    return kernel.devices().register(
        SEVERAL.withCount(count),
        new StatefulDriver("several", kernel.pages(SEVERAL.withVersion("0.0.0"))));
  }

  private AutoCloseable replace(AutoCloseable before, int count) throws UpgradeException {
    return kernel.devices().replace(
        before, SEVERAL.withCount(count).withVersion("2"), new StatefulDriver("next"), done -> {
        });
  }

  @Test
  void aVersionWithMoreNodesBringsThemAll() throws Exception {
    AutoCloseable first = several(2);
    int one = program.open("/dev/several1", AccessMode.READ_WRITE);
    long mapped = program.mmapShared(one, PAGE, 0);
    program.memory().putLong(mapped + 8, 5);
    int major = kernel.devices().find("/dev/several1").orElseThrow().number().major();

    AutoCloseable next = replace(first, 4);

    assertThat(paths())
        .containsExactly("/dev/several0", "/dev/several1", "/dev/several2", "/dev/several3");
    assertThat(program.memory().getLong(mapped + 8)).isEqualTo(5);
    int three = program.open("/dev/several3", AccessMode.READ_WRITE);
    assertThat(program.memory().getLong(program.mmapShared(three, PAGE, PAGE))).isEqualTo(1);
    assertThat(kernel.devices().find("/dev/several3").orElseThrow().number())
        .isEqualTo(new DeviceNumber(major, 3));
    kernel.validate();
    next.close();
    assertThat(kernel.devices().list()).filteredOn(DeviceInfo::present)
        .extracting(DeviceInfo::path).containsExactly("/dev/state");
  }

  @Test
  void aVersionWithFewerNodesTakesThoseAwayThatNobodyUses() throws Exception {
    AutoCloseable first = several(4);
    int one = program.open("/dev/several1", AccessMode.READ_WRITE);
    long mapped = program.mmapShared(one, PAGE, PAGE);

    AutoCloseable unused = replace(first, 2);

    assertThat(paths()).containsExactly("/dev/several0", "/dev/several1");
    Refusals.assertFails(
        Errno.ENOENT, () -> program.open("/dev/several3", AccessMode.READ_WRITE));
    assertThat(program.memory().getLong(mapped)).isEqualTo(1);
    kernel.validate();
  }

  @Test
  void aNodeThatIsMappedCannotBeMissing() throws Exception {
    AutoCloseable first = several(4);
    int last = program.open("/dev/several3", AccessMode.READ_WRITE);
    long mapped = program.mmapShared(last, PAGE, 0);
    program.close(last);

    UpgradeException refusal =
        catchThrowableOfType(UpgradeException.class, () -> replace(first, 3));

    assertThat(refusal.step()).isEqualTo(Step.MATCH);
    assertThat(refusal).hasMessageContaining("/dev/several3 is open or mapped");
    assertThat(paths()).hasSize(4);
    assertThat(program.memory().getLong(mapped)).isZero();
    program.munmap(mapped, PAGE);
    AutoCloseable unused = replace(first, 3);
    assertThat(paths()).hasSize(3);
  }

  @Test
  void aNumberThatAnotherDriverHasIsNotTaken() throws Exception {
    DeviceRegistration two = SEVERAL.withCount(2).withMajor(240);
    AutoCloseable first =
        kernel.devices().register(
            two, new StatefulDriver("several", kernel.pages(SEVERAL.withVersion("0.0.0"))));
    AutoCloseable unused =
        kernel.devices().register(
            new DeviceRegistration("other", 240, 2, 1, 2000, "other", "1"),
            new MmapProvider() {});
    UpgradeException refusal =
        catchThrowableOfType(
            UpgradeException.class,
            () -> kernel.devices().replace(
                first, two.withCount(3).withVersion("2"), new StatefulDriver("next"), done -> {
                }));
    assertThat(refusal.step()).isEqualTo(Step.MATCH);
    assertThat(refusal).hasMessageContaining("taken by /dev/other");
  }

  /** Hangs in restoreState until it is let go, or the watchdog ends it. */
  private static StatefulDriver hanging(CountDownLatch go) {
    return new StatefulDriver("new") {
      @Override
      void hear(String call) throws Exception {
        super.hear(call);
        if (call.equals("restoreState")) {
          go.await();
          throw new IllegalStateException("it hung");
        }
      }
    };
  }

  @Test
  void aProcessWithoutTheDeviceDoesNotNoticeAnUpgradeThatHangs() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    Program other = kernel.spawn();
    StatefulDriver next = hanging(go);
    CompletableFuture<UpgradeException> upgrade = CompletableFuture.supplyAsync(
        () -> catchThrowableOfType(
            UpgradeException.class,
            () -> kernel.devices().replace(
                registered, version(2).withTimeoutMillis(600_000), next, done -> {
                })));
    while (!next.heard.contains("restoreState")) {
      Thread.sleep(1);
    }

    for (int round = 0; round < 20; round++) {
      long memory = other.mmap(
          -1, 16L * PAGE, Mman.PROT_READ | Mman.PROT_WRITE,
          Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
      other.memory().putLong(memory + 3L * PAGE, 7);
      Program child = other.fork();
      other.munmap(memory, 16L * PAGE);
      assertThat(child.memory().getLong(memory + 3L * PAGE)).isEqualTo(7);
      kernel.tasks().exit(child.task(), 0);
    }

    assertThat(upgrade).as("it hangs still").isNotDone();
    go.countDown();
    assertThat(upgrade.get().step()).isEqualTo(Step.RESTORE);
    assertThat(read()).isEqualTo("old 0");
  }

  @Test
  void aProcessThatOnlyHasTheDeviceOpenWaitsWithItsMmap() throws Exception {
    Program other = kernel.spawn();
    int otherFd = other.open("/dev/state", AccessMode.READ_WRITE);
    StatefulDriver next = hanging(new CountDownLatch(1));
    CompletableFuture<UpgradeException> upgrade = CompletableFuture.supplyAsync(
        () -> catchThrowableOfType(
            UpgradeException.class,
            () -> kernel.devices().replace(
                registered, version(2).withTimeoutMillis(2000), next, done -> {
                })));
    while (!next.heard.contains("restoreState")) {
      Thread.sleep(1);
    }
    long mapped = other.mmapShared(otherFd, PAGE, 0);
    assertThat(upgrade.get(5, TimeUnit.MINUTES).step()).isEqualTo(Step.RESTORE);
    assertThat(other.memory().getLong(mapped)).isZero();
    kernel.validate();
  }

  @Test
  void childrenThatAreBornWhileTheyAreStoppedAreTakenOverToo() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    Thread forking = Thread.ofPlatform().start(() -> {
      try {
        while (!stop.get()) {
          Program child = program.fork();
          assertThat(child.task().newCpu().getLong(address + PAGE)).isEqualTo(1);
          Program grandchild = child.fork();
          kernel.tasks().exit(child.task(), 0);
          assertThat(grandchild.task().newCpu().getLong(address + 3L * PAGE)).isEqualTo(3);
          kernel.tasks().exit(grandchild.task(), 0);
        }
      } catch (Throwable e) {
        failures.add(e);
      }
    });
    AutoCloseable current = registered;
    for (int i = 0; i < 200; i++) {
      current = kernel.devices().replace(
          current, version(i + 2), new StatefulDriver("next"), done -> {
          });
    }
    stop.set(true);
    forking.join();
    assertThat(failures).isEmpty();
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  void anUpgradeUnderFullLoadFailsNoAccessAndChangesNoByte() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong accesses = new AtomicLong();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      int first = t * 16;
      Program own = t % 2 == 0 ? program : kernel.spawn();
      int ownFd = t % 2 == 0 ? fd : own.open("/dev/state", AccessMode.READ_WRITE);
      long base = own.mmapShared(ownFd, 16L * PAGE, (long) first * PAGE);
      threads.add(Thread.ofPlatform().start(() -> {
        try {
          hammer(own, base, ownFd, first, stop, accesses);
        } catch (Throwable e) {
          failures.add(e);
        }
      }));
    }
    AutoCloseable current = registered;
    for (int i = 0; i < 100; i++) {
      StatefulDriver next = new StatefulDriver(i % 2 == 0 ? "old" : "new");
      current = kernel.devices().replace(
          current, version(i + 2), next, upgrade -> {
          });
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    assertThat(accesses.get()).isGreaterThan(1000);
    assertThat(kernel.problems()).isEmpty();
    assertThat(kernel.pages(version(101)).allocated()).isEqualTo(StatefulDriver.PAGES);
  }

  private void hammer(
      Program own, long base, int file, int first, AtomicBoolean stop, AtomicLong accesses)
      throws ErrnoException {
    UserMemory memory = own.task().newCpu();
    byte[] buffer = new byte[16];
    long round = 0;
    while (!stop.get()) {
      round++;
      for (int i = 0; i < 16; i++) {
        long page = base + (long) i * PAGE;
        assertThat(memory.getLong(page)).isEqualTo(first + i);
        memory.putLong(page + 8, round * 31 + i);
      }
      for (int i = 0; i < 16; i++) {
        assertThat(memory.getLong(base + (long) i * PAGE + 8)).isEqualTo(round * 31 + i);
      }
      own.madvise(base, 16L * PAGE, Mman.MADV_DONTNEED);
      long extra = own.mmapShared(file, PAGE, (long) first * PAGE);
      assertThat(memory.getLong(extra)).isEqualTo(first);
      own.munmap(extra, PAGE);
      if (round % 8 == 0) {
        Program child = own.fork();
        assertThat(child.task().newCpu().getLong(base)).isEqualTo(first);
        kernel.tasks().exit(child.task(), 0);
      }
      assertThat(kernel.files().read(own.task(), file, MemorySegment.ofArray(buffer)))
          .isGreaterThan(0);
      accesses.addAndGet(35);
    }
  }
}
