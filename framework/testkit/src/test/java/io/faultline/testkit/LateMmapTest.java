// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertFails;
import static io.faultline.testkit.Refusals.assertSignal;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.SignalCode;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A driver's {@code mmap} that fails after it has begun, or succeeds when nobody waits for it any more:
 * what it had mapped is undone, and it hears of each area that it takes for made.
 */
@FaultlineTest
@Timeout(600)
class LateMmapTest {
  private static final int PAGE = Mman.PAGE_SIZE;
  /** Its other calls are honest: a machine that stands still for a moment is not their fault. */
  private static final int LIMIT_MILLIS = 1000;

  private final BootedKernel kernel;
  private final Program program;
  private final Page page;
  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final int fd;
  private boolean late;
  private boolean refuses;

  LateMmapTest(BootedKernel kernel) throws ErrnoException {
    this.kernel = kernel;
    page = kernel.pages("slow").allocate();
    AutoCloseable unused =
        kernel.devices().register(
            DeviceRegistration.of("slow").withTimeoutMillis(LIMIT_MILLIS), new Driver());
    program = kernel.spawn();
    fd = program.open("/dev/slow", AccessMode.READ_WRITE);
  }

  private final class Driver implements MmapProvider, VmOperations {
    @Override
    public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
      request.setOperations(this);
      request.setPrivateData("area " + heard.size());
      request.insertPage(request.start(), page);
      while (late) {
        try {
          Thread.sleep(1_800_000);
        } catch (InterruptedException outOfTime) {
          late = false;
        }
      }
      if (refuses) {
        throw new ErrnoException(Errno.EAGAIN, "after all");
      }
      heard.add("mmap");
    }

    @Override
    public void open(Vma vma) {
      heard.add("open");
    }

    @Override
    public void close(Vma vma) {
      heard.add(
          "close of " + vma.privateData() + ", " + (vma.end() - vma.start()) / PAGE + " pages");
    }

    @Override
    public void release(OpenFile file) {
      heard.add("release");
    }
  }

  @Test
  void anMmapThatReturnsTooLateIsClosed() throws Exception {
    late = true;

    assertFails(Errno.ETIMEDOUT, () -> program.mmapShared(fd, 2L * PAGE, 0));

    assertThat(heard).containsExactly("mmap", "close of area 0, 2 pages");
    nothingIsLeft();
  }

  @Test
  void anMmapThatRefusesAfterItHasInsertedPagesIsNot() throws Exception {
    refuses = true;

    assertFails(Errno.EAGAIN, () -> program.mmapShared(fd, 2L * PAGE, 0));

    assertThat(heard).isEmpty();
    nothingIsLeft();
  }

  /** The old area is closed before the driver is asked. */
  @Test
  void whatWasInTheWayIsGoneThen() throws Exception {
    long address = program.mmapShared(fd, PAGE, 0);
    assertThat(page.referenceCount()).isEqualTo(2);
    late = true;
    assertFails(
        Errno.ETIMEDOUT,
        () -> program.mmapAt(
            address, fd, PAGE, Mman.PROT_READ, Mman.MAP_SHARED | Mman.MAP_FIXED, 0));
    assertThat(heard).containsExactly(
        "mmap", "close of area 0, 1 pages", "mmap", "close of area 2, 1 pages");
    assertSignal(
        SignalCode.SEGV_MAPERR, address, () -> program.memory().getByte(address));
    nothingIsLeft();
  }

  private void nothingIsLeft() throws ErrnoException {
    assertThat(page.referenceCount()).isEqualTo(1);
    assertThat(program.areas()).noneMatch(
        area -> String.valueOf(area.file()).startsWith("/dev/slow"));
    kernel.validate();
    program.close(fd);
    assertThat(heard).as("no area holds the file").endsWith("release");
  }
}
