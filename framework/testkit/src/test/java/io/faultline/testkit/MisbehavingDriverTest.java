// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.RecordingDriver.address;
import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
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
import java.time.Duration;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** What a driver does wrong costs one access or one call, and nothing else. */
@FaultlineTest
class MisbehavingDriverTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  private static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  /** Of a test whose driver hangs, and of the others. */
  private static final String HANGS = "hangs";
  private static final int TIMEOUT_MILLIS = 1000;
  private static final int PATIENT_MILLIS = 600_000;

  private final BootedKernel kernel;
  private final Program program;
  private final Page page;
  private Answer next = this::good;
  private Writable pageMkwrite = Nopage::minor;
  private final int fd;

  /** What nopage does. */
  @FunctionalInterface
  private interface Answer {
    @Nullable Nopage nopage(Vma vma) throws Exception;
  }

  /** What pageMkwrite does. */
  @FunctionalInterface
  private interface Writable {
    Nopage pageMkwrite(Page page);
  }

  MisbehavingDriverTest(BootedKernel kernel, TestInfo test) throws ErrnoException {
    this.kernel = kernel;
    page = kernel.pages("bad").allocate();
    AutoCloseable unused =
        kernel.devices().register(
            DeviceRegistration.of("bad")
                .withTimeoutMillis(
                    test.getTags().contains(HANGS) ? TIMEOUT_MILLIS : PATIENT_MILLIS),
            new Driver());
    program = kernel.spawn();
    fd = program.open("/dev/bad", AccessMode.READ_WRITE);
    long address =
        program.mmapAt(address(0), fd, 4L * PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, 0);
    assertThat(address).isEqualTo(address(0));
  }

  private final class Driver implements MmapProvider {
    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(new Operations());
    }
  }

  private final class Operations implements VmOperations {
    @Override
    public @Nullable Nopage nopage(Vma vma, long address, Access access) {
      try {
        return next.nopage(vma);
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public Nopage pageMkwrite(Vma vma, long address, Page written) {
      return pageMkwrite.pageMkwrite(written);
    }
  }

  private Nopage good(Vma vma) {
    return Nopage.minor(page.get());
  }

  /** The access gets SIGBUS; the next one, to a driver that has recovered, is as good as any. */
  private void assertOneSigbus() {
    assertSigbus(address(1) + 7, () -> program.memory().getByte(address(1) + 7));
    assertThat(device().errors()).isEqualTo(1);
    assertThat(device().lastError()).contains("/dev/bad", "nopage");
    // The watchdog tells after it has interrupted the call.
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (kernel.problems().isEmpty() && System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
    assertThat(kernel.problems()).hasSize(1).allMatch(line -> line.contains("driver bad"));
    kernel.validate();

    next = this::good;
    assertThat(program.memory().getByte(address(1) + 7)).isZero();
    assertThat(device().errors()).as("errors").isEqualTo(1);
  }

  private DeviceInfo device() {
    return kernel.devices().find("/dev/bad").orElseThrow();
  }

  // ---- nopage -----------------------------------------------------------------------------------

  @Test
  void throwingCostsOneSigbus() {
    next = vma -> {
      throw new UnsupportedOperationException("oh");
    };
    assertOneSigbus();
  }

  @Test
  @Tag(HANGS)
  void hangingCostsOneSigbus() {
    next = vma -> {
      Thread.sleep(1_800_000);
      return Nopage.SIGBUS;
    };
    assertTimeoutPreemptively(Duration.ofMinutes(10), this::assertOneSigbus);
  }

  @Test
  void answeringNothingCostsOneSigbus() {
    next = vma -> null;
    assertOneSigbus();
  }

  @Test
  void answeringWithAFreedPageCostsOneSigbus() throws ErrnoException {
    Page freed = kernel.pages("bad").allocate();
    freed.put();
    next = vma -> Nopage.minor(freed);
    assertOneSigbus();
  }

  @Test
  void answeringWithoutAReferenceToGiveCostsOneSigbus() throws ErrnoException {
    Page lent = kernel.pages("bad").allocate();
    next = vma -> Nopage.minor(lent);
    assertThat(program.memory().getByte(address(0))).as("gives its only reference away").isZero();

    assertOneSigbus();
  }

  @Test
  void answeringWithAPageOfAnotherKernelCostsOneSigbus() throws ErrnoException {
    try (BootedKernel other = BootedKernel.boot(1 << 20, KernelProfile.LINUX_6_18)) {
      Page foreign = other.pages("bad").allocate();
      next = vma -> Nopage.minor(foreign.get());
      assertOneSigbus();
    }
  }

  @Test
  void answeringWithAPageOfItsOwnMakingCostsOneSigbus() {
    next = vma -> Nopage.minor(new Forged());
    assertOneSigbus();
  }

  // ---- pageMkwrite ------------------------------------------------------------------------------

  @Test
  void puttingThePageThatPageMkwriteIsShownTakesItFromNobody() {
    assertThat(program.memory().getByte(address(0))).isZero();
    pageMkwrite = shown -> {
      shown.put();
      return Nopage.minor(shown);
    };

    assertSigbus(address(0), () -> program.memory().putByte(address(0), (byte) 1));

    assertThat(page.referenceCount()).as("the driver's and the mapping's").isEqualTo(2);
    assertThat(program.memory().getByte(address(0))).isZero();
  }

  // ---- re-entry ---------------------------------------------------------------------------------

  @Test
  void callingBackIntoItsOwnAddressSpaceIsADeadlockAvoided() {
    next = vma -> {
      assertFails(Errno.EDEADLK, () -> program.munmap(address(0), PAGE));
      assertFails(Errno.EDEADLK, () -> program.mmapAt(address(9), -1, PAGE, RW,
          Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0));
      assertFails(Errno.EDEADLK, () -> program.mprotect(address(0), PAGE, Mman.PROT_READ));
      assertFails(Errno.EDEADLK, program::fork);
      return good(vma);
    };

    assertThat(program.memory().getByte(address(1))).isZero();

    assertThat(kernel.problems()).isEmpty();
    assertThat(program.area(address(0)).length()).isEqualTo(4L * PAGE);
  }

  @Test
  void touchingItsOwnAddressSpaceIsADeadlockAvoided() {
    next = vma -> {
      // The same page: it is not there yet.
      byte unused = program.task().newCpu().getByte(address(2));
      return good(vma);
    };

    assertSigbus(address(2), () -> program.memory().getByte(address(2)));

    assertThat(kernel.problems()).singleElement().asString().contains("called back");
  }

  @Test
  void actingOnAnotherProcessIsAllowed() throws ErrnoException {
    Program other = kernel.spawn();
    long address =
        other.mmap(-1, PAGE, RW, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, 0);
    next = vma -> {
      other.poke(address, "hello");
      other.mprotect(address, PAGE, Mman.PROT_READ);
      return good(vma);
    };

    assertThat(program.memory().getByte(address(0))).isZero();

    assertThat(other.peek(address, 5)).isEqualTo("hello");
    assertThat(kernel.problems()).isEmpty();
  }

  @Test
  @Tag(HANGS)
  void twoProcessesWhoseDriversActOnEachOtherDoNotHangForEver() {
    assertTimeoutPreemptively(Duration.ofMinutes(10), () -> {
      Program other = kernel.spawn();
      int otherFd = other.open("/dev/bad", AccessMode.READ_WRITE);
      long address =
          other.mmapAt(address(0), otherFd, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, 0);
      CyclicBarrier both = new CyclicBarrier(2);
      next = vma -> {
        Program opposite = vma.pid() == other.task().pid() ? program : other;
        both.await();
        kernel.vmas().mprotect(opposite.task(), address(0), PAGE, Mman.PROT_READ);
        return good(vma);
      };
      Thread second = Thread.ofPlatform().start(() -> touchQuietly(other, address));

      touchQuietly(program, address(0));
      second.join();

      next = this::good;
      assertThat(program.memory().getByte(address(0))).isZero();
      assertThat(other.task().newCpu().getByte(address)).isZero();
    });
  }

  private static void touchQuietly(Program program, long address) {
    try {
      program.task().newCpu().touch(address, Access.READ);
    } catch (SignalException expected) {
      assertThat(expected.info().cause()).contains("/dev/bad");
    }
  }

  /** What no allocator has given. */
  private static final class Forged implements Page {
    @Override
    public long frameNumber() {
      return 1;
    }

    @Override
    public MemorySegment segment() {
      return MemorySegment.ofArray(new byte[PAGE]);
    }

    @Override
    public int referenceCount() {
      return 1;
    }

    @Override
    public Page get() {
      return this;
    }

    @Override
    public void put() {}
  }
}
