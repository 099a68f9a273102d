// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Program;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A picture in memory, and what the display hears of it. */
@FaultlineTest
@Timeout(600)
class FramebufferTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int ORDER = 4;
  private static final int SIZE = PAGE << ORDER;
  /** So that nothing is sent but by {@link DeferredIo#flush}. */
  private static final int NEVER = 60_000;
  private static final Mode MODE = new Mode(64, 64, 32);
  private static final DeviceRegistration NODE = DeviceRegistration.of("fb0");

  private final BootedKernel kernel;
  private final Program program;
  private final List<Framebuffer> versions = new ArrayList<>();
  private AutoCloseable registered;
  private final int fd;
  private final long address;

  FramebufferTest(BootedKernel kernel) throws Exception {
    this.kernel = kernel;
    registered = kernel.devices().register(NODE, made(MODE, NEVER));
    program = kernel.spawn();
    fd = program.open("/dev/fb0", AccessMode.READ_WRITE);
    address = program.mmapShared(fd, SIZE + PAGE, 0);
  }

  @AfterEach
  void close() {
    versions.forEach(Framebuffer::deactivate);
  }

  private Framebuffer made(Mode mode, int delayMillis) throws ErrnoException {
    Framebuffer device = new Framebuffer(kernel.memory("fb"), mode, ORDER, delayMillis);
    versions.add(device);
    return device;
  }

  private Framebuffer device() {
    return versions.getLast();
  }

  private Framebuffer upgrade(Mode mode) throws Exception {
    Framebuffer old = device();
    DeviceRegistration version = NODE.withVersion(versions.size() + 1 + ".0.0");
    registered =
        kernel.devices().replace(registered, version, made(mode, NEVER), upgrade -> {});
    old.deactivate();
    kernel.validate();
    return device();
  }

  private void plot(int x, int y, int rgb) {
    program.memory().putInt(address + (y * 64L + x) * 4, rgb);
  }

  @Test
  void areasAreIoAndNeitherGrowNorAreDumped() {
    assertThat(program.area(address).has(VmFlag.IO)).isTrue();
    assertThat(program.area(address).has(VmFlag.DONTEXPAND)).isTrue();
    assertThat(program.area(address).has(VmFlag.DONTDUMP)).isTrue();
    assertFails(Errno.EFAULT, () -> program.mremap(address, SIZE + PAGE, SIZE + 2 * PAGE));
  }

  @Test
  void framesFollowEachOther() {
    VideoMemory memory = device().memory();
    for (int i = 1; i < memory.pages(); i++) {
      assertThat(memory.page(i).frameNumber()).isEqualTo(memory.page(0).frameNumber() + i);
    }
  }

  @Test
  void readWriteAndMappingsSeeTheSameBytes() throws Exception {
    program.poke(address + PAGE - 2, "mapped");
    assertThat(program.read(fd, PAGE - 2, 6)).isEqualTo("mapped");
    program.write(fd, 5 * PAGE - 3, "written");
    assertThat(program.peek(address + 5 * PAGE - 3, 7)).isEqualTo("written");
  }

  @Test
  void behindTheEndMappingsAreSigbusAndReadsEnd() throws Exception {
    assertSigbus(address + SIZE, () -> program.peek(address + SIZE, 1));
    assertThat(program.read(fd, SIZE - 2, 10)).hasSize(2);
    assertThat(program.read(fd, SIZE, 10)).isEmpty();
    assertThat(program.read(fd, SIZE + 100, 10)).isEmpty();
  }

  @Test
  void writesBehindTheEndAreRefusedAndOnesAcrossItAreShort() throws Exception {
    assertThat(program.write(fd, SIZE - 2, "four")).isEqualTo(2);
    assertFails(Errno.ENOSPC, () -> program.write(fd, SIZE, "x"));
    assertFails(Errno.EFBIG, () -> program.write(fd, SIZE + 1, "x"));
    assertFails(Errno.EFBIG, () -> program.write(fd, SIZE, "x".repeat(SIZE + 1)));
    assertThat(program.write(fd, SIZE, "")).isZero();
    assertFails(Errno.EFBIG, () -> program.write(fd, SIZE + 1, ""));
  }

  @Test
  void theDisplayShowsWhatWasSentAndNothingElse() {
    plot(1, 2, 0x123456);
    assertThat(device().shown().rgb(1, 2)).isZero();
    device().deferred().flush();
    assertThat(device().shown().rgb(1, 2)).isEqualTo(0x123456);
  }

  @Test
  void onlyTheFirstStoreIntoAPageIsHeardOfUntilItIsSent() {
    plot(0, 0, 1);
    plot(1, 0, 2);
    plot(0, 32, 3);
    assertThat(device().deferred().pending()).containsExactly(0, 2);
    assertThat(device().deferred().counters().written()).isEqualTo(2);

    device().deferred().flush();

    assertThat(device().deferred().pending()).isEmpty();
    assertThat(device().deferred().counters()).isEqualTo(new DeferredIo.Counters(2, 1, 2));
    plot(1, 0, 4);
    plot(2, 0, 5);
    assertThat(device().deferred().pending()).containsExactly(0);
    assertThat(device().deferred().counters().written()).isEqualTo(3);
  }

  @Test
  void loadsAreNotHeardOf() {
    program.peek(address, SIZE);
    assertThat(device().deferred().pending()).isEmpty();
  }

  @Test
  void writesThroughTheDescriptorAreSentToo() throws Exception {
    program.write(fd, PAGE - 1, "ab");
    assertThat(device().deferred().pending()).containsExactly(0, 1);
    assertThat(device().picture().rgb(0, 16) & 0xff).isEqualTo('b');
  }

  @Test
  void msyncSendsAllThatIsDirty() throws Exception {
    plot(0, 0, 1);
    plot(0, 32, 2);
    kernel.vmas().msync(program.task(), address, PAGE, Mman.MS_ASYNC);
    assertThat(device().deferred().pending()).as("asks nobody").hasSize(2);
    kernel.vmas().msync(program.task(), address, PAGE, Mman.MS_SYNC);
    assertThat(device().deferred().pending()).isEmpty();
    assertThat(device().shown().rgb(0, 32)).isEqualTo(2);
    plot(0, 0, 3);
    assertThat(device().deferred().pending()).as("a first store again").containsExactly(0);
    kernel.files().fsync(program.task(), fd);
    assertThat(device().shown().rgb(0, 0)).isEqualTo(3);
  }

  @Test
  void msyncOfAPrivateMappingSendsNothing() throws Exception {
    long copy = program.mmapPrivate(fd, PAGE, 0);
    plot(0, 0, 1);
    kernel.vmas().msync(program.task(), copy, PAGE, Mman.MS_SYNC);
    assertThat(device().deferred().pending()).containsExactly(0);
  }

  @Test
  void privateCopiesAreNobodysPicture() throws Exception {
    long copy = program.mmapPrivate(fd, PAGE, 0);
    program.memory().putInt(copy, 0xffffff);
    assertThat(device().deferred().pending()).isEmpty();
    assertThat(device().picture().rgb(0, 0)).isZero();
  }

  @Test
  void afterTheDelayTheDriverSendsOfItself() throws Exception {
    Framebuffer quick = new Framebuffer(kernel.memory("quick"), MODE, ORDER, 5);
    versions.add(quick);
    AutoCloseable unused = kernel.devices().register(DeviceRegistration.of("fb1"), quick);
    int other = program.open("/dev/fb1", AccessMode.READ_WRITE);
    long place = program.mmapShared(other, SIZE, 0);
    for (int i = 1; i <= 3; i++) {
      program.memory().putInt(place, i);
      long end = System.nanoTime() + 180_000_000_000L;
      while (quick.shown().rgb(0, 0) != i) {
        assertThat(System.nanoTime()).as("picture %d came in time", i).isLessThan(end);
        // The driver's own thread sends, after its delay: that can only be looked for.
        Thread.sleep(1);
      }
    }
    assertThat(quick.deferred().counters().sent()).isGreaterThanOrEqualTo(3);
  }

  @Test
  void aModeThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> made(new Mode(640, 480, 32), NEVER))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("width, height: 640x480-32", "1228800", "65536");
    assertThatThrownBy(() -> new Mode(0, 480, 32)).hasMessageContaining("width: 0");
    assertThatThrownBy(() -> new Mode(640, 480, 24)).hasMessageContaining("24");
  }

  @Test
  void memoryOfAnotherSizeIsRefused() {
    assertThatThrownBy(() -> new Framebuffer(kernel.memory("fb"), MODE, ORDER + 1, NEVER))
        .isInstanceOf(ErrnoException.class)
        .hasMessageContainingAll("memory.order: 5", "set memory.order as it was");
  }

  @Test
  void anUpgradeKeepsPictureModeDirtyPagesAndCounters() throws Exception {
    plot(0, 0, 0x111111);
    device().deferred().flush();
    plot(0, 32, 0x222222);
    plot(0, 0, 0x333333);

    Framebuffer next = upgrade(new Mode(32, 32, 32));

    assertThat(next.mode()).isEqualTo(MODE);
    assertThat(Info.of(next)).contains(
        "not configured  32x32-32: programs draw in the mode that was taken over, 64x64-32");
    assertThat(next.deferred().pending()).containsExactly(0, 2);
    assertThat(next.deferred().counters()).isEqualTo(new DeferredIo.Counters(3, 1, 1));
    assertThat(next.openFiles()).isEqualTo(1);
    assertThat(next.picture().rgb(0, 0)).isEqualTo(0x333333);
    assertThat(next.picture().rgb(0, 32)).isEqualTo(0x222222);
    plot(0, 0, 0x444444);
    assertThat(next.deferred().pending()).as("protected by the new version").containsExactly(0);
    assertThat(next.picture().rgb(0, 0)).isEqualTo(0x444444);
  }

  @Test
  void aVersionWithOtherMemoryDoesNotTakeOver() throws Exception {
    plot(0, 0, 7);
    Framebuffer other = new Framebuffer(kernel.memory("other"), MODE, ORDER + 1, NEVER);
    assertThatThrownBy(
        () -> kernel.devices().replace(
            registered, NODE.withVersion("2.0.0"), other, upgrade -> {}))
        .hasMessageContaining("memory.order: ");
    other.deactivate();
    assertThat(device().picture().rgb(0, 0)).isEqualTo(7);
    plot(0, 0, 8);
    assertThat(device().deferred().pending()).containsExactly(0);
  }

  @Test
  void aVersionThatComesAfterAGapFindsThePicture() throws Exception {
    plot(3, 3, 0xabcdef);
    registered.close();
    device().deactivate();
    registered = kernel.devices().register(NODE.withVersion("2.0.0"), made(MODE, NEVER));
    assertThat(program.memory().getInt(address + (3 * 64 + 3) * 4)).isEqualTo(0xabcdef);
    assertThat(device().shown().rgb(3, 3)).isEqualTo(0xabcdef);
    plot(3, 3, 1);
    assertThat(device().deferred().pending()).containsExactly(0);
  }

  /** Programs draw, versions follow each other: the display misses nothing. */
  @Test
  void noStoreIsMissedWhileVersionsFollowEachOther() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      int seed = t;
      Program own = t == 0 ? program : kernel.spawn();
      int file = t == 0 ? fd : own.open("/dev/fb0", AccessMode.READ_WRITE);
      long place = own.mmapShared(file, SIZE, 0);
      threads.add(Thread.ofPlatform().start(() -> {
        Random random = new Random(seed);
        UserMemory memory = own.task().newCpu();
        try {
          while (!stop.get()) {
            memory.putInt(place + 4L * random.nextInt(64 * 64), random.nextInt());
          }
        } catch (Throwable e) {
          failures.add(e);
        }
      }));
    }
    for (int i = 0; i < 20; i++) {
      Framebuffer next = upgrade(MODE);
      for (int j = 0; j < 20; j++) {
        next.deferred().flush();
      }
    }
    stop.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    Picture shown = device().picture();
    MemorySegment bytes = device().memory().bytes();
    for (int y = 0; y < 64; y++) {
      for (int x = 0; x < 64; x++) {
        assertThat(shown.rgb(x, y)).isEqualTo(MODE.rgb(bytes, x, y));
      }
    }
    assertThat(kernel.problems()).isEmpty();
  }
}
