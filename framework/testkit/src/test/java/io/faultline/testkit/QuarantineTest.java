// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo.State;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A driver that fails too often is called no more, until it is restored. */
@FaultlineTest
@Timeout(600)
class QuarantineTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final DeviceRegistration NODE = DeviceRegistration.of("state");

  private final BootedKernel kernel;
  private final Program program;
  private int fd;

  QuarantineTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private long map() throws ErrnoException {
    fd = program.open("/dev/state", AccessMode.READ_WRITE);
    return program.mmapShared(fd, 4L * PAGE, 0);
  }

  private final class Failing extends StatefulDriver {
    private boolean fails = true;

    Failing() throws ErrnoException {
      super("failing", kernel.pages(NODE));
    }

    @Override
    public Nopage nopage(
        Vma vma, long address, Access access) {
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
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
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
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
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
