// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A driver goes while its device is open and mapped, and comes back or does not. */
@FaultlineTest
@Timeout(600)
class ReplugTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");
  private static final long LONG_GAP_MILLIS = 1_800_000;

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

    assertThat(access.get(5, TimeUnit.MINUTES)).isEqualTo(1);
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
    assertThat(read.get(5, TimeUnit.MINUTES)).isEqualTo("plugged 0");
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

    assertThat(call.get(5, TimeUnit.MINUTES)).isNotInstanceOf(Errno.class);
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
    assertThat(call.get(5, TimeUnit.MINUTES)).isEqualTo(errno);
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

    assertThat(interrupted.get(5, TimeUnit.MINUTES)).isEqualTo(Errno.EINTR);
    assertThat(killed).isNotDone();
    long began = System.nanoTime();
    kernel.tasks().exit(program.task(), 0);
    assertThat(System.nanoTime() - began).isLessThan(TimeUnit.MINUTES.toNanos(5));
    assertThat(killed.get(5, TimeUnit.MINUTES)).isInstanceOf(Errno.class);
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
    assertThat(open.get(5, TimeUnit.MINUTES)).isEqualTo(0);
  }

  @Test
  void anOpenOfADeviceThatNobodyHasAnyMoreFailsWhenTheGapIsOver() throws Exception {
    kernel.gapMillis(100);
    plug(UnplugPolicy.WAIT).close();
    CompletableFuture<Object> open =
        meanwhile(() -> program.open("/dev/state", AccessMode.READ_WRITE));
    assertThat(open.get(5, TimeUnit.MINUTES)).isEqualTo(Errno.ENOENT);
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

    thread.get(5, TimeUnit.MINUTES);
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

    long address = mapping.get(5, TimeUnit.MINUTES);
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
    assertThat(access.get(5, TimeUnit.MINUTES)).isEqualTo(2);
  }

  @Test
  void waitIsEndedByKill() throws Exception {
    AutoCloseable first = plug(UnplugPolicy.WAIT);
    long address = map();
    first.close();
    CompletableFuture<Long> access = access(address);
    assertWaits(access);

    kernel.tasks().kill(program.task(), Signal.SIGKILL);

    assertThatThrownBy(() -> access.get(5, TimeUnit.MINUTES))
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

    assertThatThrownBy(() -> access.get(5, TimeUnit.MINUTES))
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
}
