// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static io.faultline.testkit.Refusals.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmOperations;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code fsync(2)} and {@code msync(2)} of a device. */
@FaultlineTest
class FsyncTest {
  private static final int PAGE = Mman.PAGE_SIZE;

  private final BootedKernel kernel;
  private final Program program;
  private final List<String> heard = new ArrayList<>();

  FsyncTest(BootedKernel kernel) {
    this.kernel = kernel;
    this.program = kernel.spawn();
  }

  private static class Without implements MmapProvider {
    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(new VmOperations() {});
    }
  }

  private final class With extends Without {
    @Override
    public void fsync(OpenFile file, long start, long end) throws ErrnoException {
      heard.add("%x-%x".formatted(start, end));
      if (heard.size() > 3) {
        throw new ErrnoException(Errno.ENOSPC, "the device is full");
      }
    }
  }

  private int open(MmapProvider driver) throws Exception {
    AutoCloseable registered =
        kernel.devices().register(DeviceRegistration.of("device"), driver);
    assertThat(registered).isNotNull();
    return program.open("/dev/device", AccessMode.READ_WRITE);
  }

  private void msync(long address, long length, int flags) throws ErrnoException {
    kernel.vmas().msync(program.task(), address, length, flags);
  }

  @Test
  void theDriverHearsWhichBytes() throws Exception {
    int fd = open(new With());
    long address = program.mmapShared(fd, 4L * PAGE, 3L * PAGE);
    msync(address + PAGE, 2L * PAGE, Mman.MS_SYNC);
    kernel.files().fsync(program.task(), fd);
    assertThat(heard).containsExactly("4000-6000", "0-7fffffffffffffff");
  }

  @Test
  void eachAreaOfTheRangeIsAsked() throws Exception {
    long address = program.mmapShared(open(new With()), 3L * PAGE, 0);
    program.mprotect(address + PAGE, PAGE, Mman.PROT_READ);
    msync(address, 3L * PAGE, Mman.MS_SYNC);
    assertThat(heard).containsExactly("0-1000", "1000-2000", "2000-3000");
    assertFails(Errno.ENOSPC, () -> msync(address, 3L * PAGE, Mman.MS_SYNC));
    assertThat(heard).as("the first error is the end of it").hasSize(4);
  }

  @Test
  void neitherAsyncNorAPrivateMappingAsks() throws Exception {
    int fd = open(new With());
    msync(program.mmapShared(fd, PAGE, 0), PAGE, Mman.MS_ASYNC);
    msync(program.mmapPrivate(fd, PAGE, 0), PAGE, Mman.MS_SYNC);
    assertThat(heard).isEmpty();
  }

  @Test
  void aDriverWithoutItIsInvalid() throws Exception {
    int fd = open(new Without());
    long address = program.mmapShared(fd, PAGE, 0);
    assertFails(Errno.EINVAL, () -> msync(address, PAGE, Mman.MS_SYNC));
    assertFails(Errno.EINVAL, () -> kernel.files().fsync(program.task(), fd));
    msync(address, PAGE, Mman.MS_ASYNC);
  }

  @Test
  void aDriverThatIsGoneCannot() throws Exception {
    AutoCloseable registered =
        kernel.devices().register(DeviceRegistration.of("device"), new With());
    int fd = program.open("/dev/device", AccessMode.READ_WRITE);
    long address = program.mmapShared(fd, PAGE, 0);
    registered.close();
    assertFails(Errno.ENXIO, () -> msync(address, PAGE, Mman.MS_SYNC));
    assertThat(heard).isEmpty();
  }
}
