// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KeptMemory;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a driver saves when it goes is kept, and given to the one that comes back. */
@FaultlineTest
@Timeout(600)
class KeptStateTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");
  private static final long LONG_GAP_MILLIS = 1_800_000;

  private final BootedKernel kernel;
  private final Program program;
  private StatefulDriver driver = new StatefulDriver("none");
  private int fd;

  KeptStateTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private long map() throws ErrnoException {
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    return program.mmapShared(fd, 4L * PAGE, 0);
  }

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
          Thread.sleep(1_800_000);
        }
      }
    };
    AutoCloseable first =
        kernel.devices().register(NODE.withTimeoutMillis(200), slow);
    long began = System.nanoTime();
    first.close();
    assertThat(System.nanoTime() - began).isLessThan(TimeUnit.MINUTES.toNanos(5));
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
      do {
        round++;
        for (int i = 0; i < 4; i++) {
          memory.putLong(address + (long) i * PAGE + 8, round * 31 + i);
        }
        for (int i = 0; i < 4; i++) {
          assertThat(memory.getLong(address + (long) i * PAGE)).isEqualTo(i);
          assertThat(memory.getLong(address + (long) i * PAGE + 8)).isEqualTo(round * 31 + i);
        }
      } while (!stop.get());
      return round;
    });
    for (int i = 1; i <= 50; i++) {
      unplug(plugged, Integer.toString(i - 1));
      plugged = plug(new StatefulDriver("later"), Integer.toString(i));
    }
    stop.set(true);
    assertThat(rounds.get(5, TimeUnit.MINUTES)).isPositive();
    assertThat(kernel.problems()).isEmpty();
    unplug(plugged, "50");
  }
}
