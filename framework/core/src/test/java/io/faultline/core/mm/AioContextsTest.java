// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.FaultResult;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code io_setup} and {@code io_destroy}, as Linux 6.18.44 answers them. */
class AioContextsTest {
  private static final long ELSEWHERE = 0x2000_0000L;

  private final Kernel kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("aio");

  @AfterEach
  void everythingAgrees() {
    kernel.validate();
    kernel.close();
  }

  private void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(ErrnoException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void aRingCanNeitherBeExecutedNorGrow() throws ErrnoException {
    long ring = kernel.calls().ioSetup(task, 64);

    assertThat(kernel.calls().find(task, ring).orElseThrow().flags().toSet())
        .contains(VmFlag.DONTEXPAND)
        .doesNotContain(VmFlag.MAYEXEC);
  }

  @Test
  void allContextsTogetherHaveALimit() throws ErrnoException {
    long first = kernel.calls().ioSetup(task, 40_000);
    Task other = kernel.tasks().spawn("other");
    assertRefused(Errno.EAGAIN, () -> kernel.calls().ioSetup(other, 30_000));
    kernel.calls().ioDestroy(task, first);
    long second = kernel.calls().ioSetup(other, 30_000);
    assertThat(second).isNotZero();
    kernel.tasks().exit(other, 0);
    assertThat(kernel.calls().ioSetup(task, 60_000)).isNotZero();
  }

  @Test
  void aSegmentAtTheEndOfAllAddressesIsRefusedByItsOwnSize() throws ErrnoException {
    int whole = kernel.calls().shmget(task, 4096);
    int part = kernel.calls().shmget(task, 100);
    assertRefused(Errno.EINVAL, () -> kernel.calls().shmat(task, whole, -4096, 0));
    assertRefused(Errno.ENOMEM, () -> kernel.calls().shmat(task, part, -4096, 0));
  }

  @Test
  void theContextGoesWhereItsRingGoes() throws ErrnoException {
    long ring = kernel.calls().ioSetup(task, 1);
    long bytes = kernel.calls().find(task, ring).orElseThrow().length();

    kernel.calls().mremap(task, ring, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, ELSEWHERE);

    assertRefused(Errno.EINVAL, () -> kernel.calls().ioDestroy(task, ring));
    kernel.calls().ioDestroy(task, ELSEWHERE);
    assertThat(kernel.calls().find(task, ELSEWHERE)).isEmpty();
  }

  @Test
  void aChildHasTheMappingButNoContextAndCannotMoveIt() throws ErrnoException {
    long ring = kernel.calls().ioSetup(task, 1);
    long bytes = kernel.calls().find(task, ring).orElseThrow().length();
    Task child = kernel.tasks().fork(task);

    assertRefused(Errno.EINVAL, () -> kernel.calls().ioDestroy(child, ring));
    assertRefused(Errno.EINVAL, () -> kernel.calls().mremap(
        child, ring, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, ELSEWHERE));
    assertThat(kernel.calls().find(child, ring)).isPresent();
  }

  @Test
  void whatIsLeftOfADestroyedRingIsBeyondTheEndOfItsFile() throws ErrnoException {
    long ring = kernel.calls().ioSetup(task, 200);
    kernel.calls().mremap(
        task, ring + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, ELSEWHERE);
    // The move of a part has taken the context's name along, too.
    kernel.calls().mremap(
        task, ring, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
        ELSEWHERE + 16 * PAGE_SIZE);
    kernel.calls().ioDestroy(task, ELSEWHERE + 16 * PAGE_SIZE);

    FaultResult result = kernel.faults().handle(task, ELSEWHERE, Access.READ);

    assertThat(String.valueOf(result.signal())).contains("SIGBUS");
  }

  @Test
  void tooManyEventsAreRefusedInTwoWays() {
    assertRefused(Errno.EINVAL, () -> kernel.calls().ioSetup(task, 0));
    assertRefused(Errno.EINVAL, () -> kernel.calls().ioSetup(task, -1));
    assertRefused(Errno.EAGAIN, () -> kernel.calls().ioSetup(task, 65537));
  }

  @Test
  void aRingHasNothingToSynchronize() throws ErrnoException {
    long ring = kernel.calls().ioSetup(task, 1);

    assertRefused(Errno.EINVAL, () -> kernel.calls().msync(task, ring, PAGE_SIZE, MS_SYNC));
  }
}
