// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.driver.ring.client.RingLayout;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.Test;

/** What a mapping of a ring shows. */
@FaultlineTest
class RingTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int DATA_PAGES = 4;
  private static final long WHOLE = RingLayout.mapped(DATA_PAGES * PAGE);

  private static final DeviceRegistration NODES =
      DeviceRegistration.of("ring").withCount(Ring.DEVICES);

  private final BootedKernel kernel;
  private final Ring ring;
  private final AutoCloseable registered;
  private final Program program;
  private final int fd;

  RingTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    ring = new Ring(kernel.memory("ring"), 2);
    registered = kernel.devices().register(NODES, ring);
    program = kernel.spawn();
    fd = program.open("/dev/ring1", AccessMode.READ_WRITE);
  }

  @Test
  void theControlPageSaysWhatTheRingIs() throws Exception {
    long at = program.mmapShared(fd, PAGE, 0);
    assertThat(program.peek(at, 8)).isEqualTo("FLTRING\0");
    assertThat(program.memory().getInt(at + 8)).isEqualTo(1);
    assertThat(program.memory().getInt(at + 12)).as("which ring").isEqualTo(1);
    assertThat(program.memory().getLong(at + 16)).as("where the data is").isEqualTo(PAGE);
    assertThat(program.memory().getLong(at + 24)).isEqualTo(DATA_PAGES * PAGE);
    assertThat(program.memory().getLong(at + 128)).as("head").isZero();
    assertThat(program.memory().getLong(at + 256)).as("tail").isZero();
  }

  @Test
  void bothHalvesAreTheSameFrames() throws Exception {
    long at = program.mmapShared(fd, WHOLE, 0);
    long half = (long) DATA_PAGES * PAGE;
    for (int page = 0; page < DATA_PAGES; page++) {
      long first = at + (long) (1 + page) * PAGE;
      program.poke(first + 7, "first " + page);
      assertThat(program.peek(first + half + 7, 7)).isEqualTo("first " + page);
      program.poke(first + half + 100, "second " + page);
      assertThat(program.peek(first + 100, 8)).isEqualTo("second " + page);
    }
    assertThat(program.peek(at, 7)).isEqualTo("FLTRING");
  }

  @Test
  void aRecordOverTheEndIsOnePiece() throws Exception {
    long at = program.mmapShared(fd, WHOLE, 0);
    long end = at + (long) (1 + DATA_PAGES) * PAGE;
    program.poke(end - 5, "one piece");
    assertThat(program.peek(end - 5, 9)).isEqualTo("one piece");
    assertThat(program.peek(at + PAGE, 4)).as("the ring's beginning").isEqualTo("iece");
  }

  @Test
  void behindTheSecondHalfThereIsNothing() throws Exception {
    long at = program.mmapShared(fd, WHOLE + 2 * PAGE, 0);
    assertThat(program.memory().getByte(at + WHOLE - 1)).isZero();
    assertSigbus(at + WHOLE, () -> program.memory().getByte(at + WHOLE));
    long far = program.mmapShared(fd, PAGE, 1L << 50);
    assertSigbus(far, () -> program.memory().getByte(far));
  }

  @Test
  void ringsAreApart() throws Exception {
    long one = program.mmapShared(fd, WHOLE, 0);
    long other = program.mmapShared(program.open("/dev/ring2", AccessMode.READ_WRITE), WHOLE, 0);
    program.poke(one + PAGE, "one");
    assertThat(program.memory().getLong(other + PAGE)).isZero();
    assertThat(program.memory().getInt(other + 12)).isEqualTo(2);
  }

  @Test
  void aPrivateMappingIsRefused() {
    assertFails(Errno.EINVAL, () -> program.mmapPrivate(fd, PAGE, 0));
  }

  @Test
  void itCannotBeExpanded() throws Exception {
    long at = program.mmapShared(fd, WHOLE, 0);
    assertThat(program.area(at).has(VmFlag.DONTEXPAND)).isTrue();
    assertThat(program.area(at).has(VmFlag.DONTDUMP)).isTrue();
    assertFails(Errno.EFAULT, () -> program.mremap(at, WHOLE, WHOLE + PAGE));
  }

  @Test
  void readShowsTheSameBytesAndConsumesNothing() throws Exception {
    long at = program.mmapShared(fd, WHOLE, 0);
    long end = (long) (1 + DATA_PAGES) * PAGE;
    program.poke(at + end - 3, "across");
    assertThat(program.read(fd, end - 3, 6)).isEqualTo("across");
    assertThat(program.read(fd, end - 3, 6)).isEqualTo("across");
    assertThat(program.read(fd, PAGE, 3)).isEqualTo("oss");
    assertThat(program.read(fd, WHOLE - 1, 9)).hasSize(1);
    assertThat(program.read(fd, WHOLE, 9)).isEmpty();
    assertFails(Errno.EINVAL, () -> program.write(fd, 0, "no"));
  }

  @Test
  void anotherSizeCountsWhenNobodyHasTheRingOpen() throws Exception {
    Ring larger = new Ring(kernel.memory("other"), 0);
    AutoCloseable unused = kernel.devices().register(DeviceRegistration.of("other"), larger);
    int first = program.open("/dev/other", AccessMode.READ_WRITE);
    long at = program.mmapShared(first, 3 * PAGE, 0);
    program.close(first);
    larger.resize(1);

    int second = program.open("/dev/other", AccessMode.READ_WRITE);
    assertThat(program.memory().getLong(at + 24)).as("mapped, it stays").isEqualTo(PAGE);
    program.close(second);
    program.munmap(at, 3 * PAGE);

    int third = program.open("/dev/other", AccessMode.READ_WRITE);
    long now = program.mmapShared(third, RingLayout.mapped(2 * PAGE), 0);
    assertThat(program.memory().getLong(now + 24)).isEqualTo(2 * PAGE);
    assertThat(kernel.memory("other").regions()).containsExactly("ring0/2");
  }

  @Test
  void aRingMadeAnewWhileTheNextVersionStandsByIsHandedOver() throws Exception {
    program.close(fd);
    Ring next = new Ring(kernel.memory("ring"), 2);
    ring.resize(0);
    int small = program.open("/dev/ring1", AccessMode.READ_WRITE);
    long at = program.mmapShared(small, RingLayout.mapped(PAGE), 0);

    AutoCloseable unused = kernel.devices().replace(
        registered, NODES.withVersion("2.0.0"), next, upgrade -> {
        });

    program.poke(at + 2 * PAGE, "both halves");
    assertThat(program.peek(at + PAGE, 11)).isEqualTo("both halves");
    assertThat(program.memory().getLong(at + 24)).isEqualTo(PAGE);
  }

  @Test
  void aRingThatWasFreedInAGapIsMadeAnewThoughItIsMapped() throws Exception {
    long at = program.mmapShared(fd, WHOLE, 0);
    program.poke(at + PAGE, "freed");
    registered.close();
    kernel.memory("ring").free("ring1/4");
    AutoCloseable unused = kernel.devices().register(NODES, new Ring(kernel.memory("ring"), 2));

    program.open("/dev/ring1", AccessMode.READ_WRITE);
    assertThat(program.peek(at, 7)).isEqualTo("FLTRING");
    assertThat(program.memory().getByte(at + PAGE)).isZero();
  }
}
