// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Signal;
import io.faultline.mm.SignalException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
}
