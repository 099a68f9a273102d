// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MADV_DONTNEED;
import static io.faultline.mm.Mman.MADV_POPULATE_READ;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_HUGETLB;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MAP_SHARED_VALIDATE;
import static io.faultline.mm.Mman.MAP_SYNC;
import static io.faultline.mm.Mman.MREMAP_FIXED;
import static io.faultline.mm.Mman.MREMAP_MAYMOVE;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Arguments at the edge of what a word holds, and a processor without keys, as Linux 6.18 answers. */
class ArgumentEdgesTest {
  private static final long BASE = 0x1000_0000_0000L;
  private static final long NEARLY_ALL = -PAGE_SIZE;
  private static final KernelProfile NO_KEYS = new KernelProfile(
      "no keys", 0x7fff_ffff_f000L, 4096, 65536, 256, 65530, 4L << 30, 0, Overcommit.HEURISTIC, 50,
      TransparentHugePages.MADVISE, false, 0);

  private final Kernel kernel = new Kernel(64 << 20, NO_KEYS, DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("edges");

  @AfterEach
  void everythingAgrees() {
    kernel.validate();
    kernel.close();
  }

  private void map(long address, long length, int type) throws ErrnoException {
    kernel.calls().mmap(
        task, address, length, PROT_READ | PROT_WRITE, type | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(ErrnoException.class).isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void mremapCannotShrinkFromNearlyTheWholeAddressSpace() throws ErrnoException {
    map(BASE, 4 * PAGE_SIZE, MAP_PRIVATE);

    assertRefused(Errno.EINVAL, () -> kernel.calls()
        .mremap(task, BASE, NEARLY_ALL, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0));
    assertThat(kernel.calls().find(task, BASE).orElseThrow().end())
        .isEqualTo(BASE + 4 * PAGE_SIZE);
  }

  @Test
  void populatingUpToTheUpperHalfFindsTheHole() throws ErrnoException {
    map(BASE, PAGE_SIZE, MAP_PRIVATE);

    assertRefused(Errno.ENOMEM,
        () -> kernel.calls().madvise(task, BASE, Long.MIN_VALUE, MADV_POPULATE_READ));
  }

  @Test
  void remapFilePagesUpToTheUpperHalfLeavesTheMapping() throws ErrnoException {
    map(BASE, PAGE_SIZE, MAP_SHARED);

    assertRefused(Errno.EINVAL,
        () -> kernel.calls().remapFilePages(task, BASE, Long.MIN_VALUE, 0, 0, 0));
  }

  @Test
  void aLengthThatRoundsToNoHugePageIsInvalid() {
    assertRefused(Errno.EINVAL, () -> kernel.calls().mmap(
        task, 0, NEARLY_ALL, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
  }

  @Test
  void aLengthBeyondUserSpaceIsSaidBeforeAnUnalignedAddress() {
    assertRefused(Errno.ENOMEM, () -> kernel.calls().mmap(
        task, BASE + PAGE_SIZE, 1L << 47, PROT_READ,
        MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
  }

  @Test
  void anOffsetWithinAHugePageIsInvalid() {
    assertRefused(Errno.EINVAL, () -> kernel.calls().mmap(
        task, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, PAGE_SIZE));
  }

  @Test
  void validatedHugePagesKnowNoSync() {
    assertRefused(Errno.EOPNOTSUPP, () -> kernel.calls().mmap(
        task, 0, PAGE_SIZE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_SYNC,
        -1, 0));
  }

  @Test
  void sharedHugePagesAreNoDataForTheLimitSoThatTheOldMappingGoes() throws ErrnoException {
    map(BASE, PAGE_SIZE, MAP_SHARED);
    task.setLimits(task.limits().withData(0));

    assertRefused(Errno.ENOMEM, () -> kernel.calls().mmap(
        task, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
    assertThat(kernel.calls().find(task, BASE)).isEmpty();
  }

  /** "Workaround for Valgrind". */
  @Test
  void whileTheLimitOfDataIsZeroTheHardLimitCounts() throws ErrnoException {
    task.setLimits(task.limits().withData(0));
    map(BASE, PAGE_SIZE, MAP_PRIVATE);

    task.setLimits(task.limits().withDataMaximum(PAGE_SIZE));

    assertRefused(Errno.ENOMEM, () -> map(BASE + PAGE_SIZE, PAGE_SIZE, MAP_PRIVATE));
  }

  @Test
  void aRemovedSegmentGoesWithItsLastAttachment() throws ErrnoException {
    int id = kernel.calls().shmget(task, PAGE_SIZE);
    kernel.calls().shmat(task, id, BASE, 0);

    kernel.calls().shmRemove(task, id);

    assertRefused(Errno.EINVAL, () -> kernel.calls().shmat(task, id, 0, 0));
    task.newCpu().putByte(BASE, (byte) 1);
    kernel.calls().shmdt(task, BASE);
    assertThat(kernel.calls().find(task, BASE)).isEmpty();
  }

  @Test
  void severalAreasWithASegmentAmongThemAreNotMoved() throws ErrnoException {
    int id = kernel.calls().shmget(task, 2 * PAGE_SIZE);
    kernel.calls().shmat(task, id, BASE, 0);
    kernel.calls().shmat(task, id, BASE + 2 * PAGE_SIZE, 0);

    assertRefused(Errno.EFAULT, () -> kernel.calls().mremap(
        task, BASE, 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
        BASE + 16 * PAGE_SIZE));
  }

  @Test
  void sealedReadOnlyMemoryIsNotDiscardedIfAnonymous() throws ErrnoException {
    map(BASE, PAGE_SIZE, MAP_PRIVATE);
    map(BASE + PAGE_SIZE, PAGE_SIZE, MAP_SHARED);
    kernel.calls().mprotect(task, BASE, 2 * PAGE_SIZE, PROT_READ);
    kernel.calls().mseal(task, BASE, 2 * PAGE_SIZE, 0);

    assertRefused(Errno.EPERM,
        () -> kernel.calls().madvise(task, BASE, PAGE_SIZE, MADV_DONTNEED));
    kernel.calls().madvise(task, BASE + PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
  }

  @Test
  void withoutTheHardwareNoKeyIsAllocatedNotEvenTheDefault() throws ErrnoException {
    map(BASE, PAGE_SIZE, MAP_PRIVATE);

    assertRefused(Errno.EINVAL,
        () -> kernel.calls().pkeyMprotect(task, BASE, PAGE_SIZE, PROT_READ, 0));
    assertRefused(Errno.EINVAL, () -> kernel.calls().pkeyFree(task, 0));
  }

  @Test
  void withoutTheHardwareTheFirstRequestForAKeyUsesTheOnlyOneUp() {
    assertRefused(Errno.EINVAL, () -> kernel.calls().pkeyAlloc(task, 0, 0));
    assertRefused(Errno.ENOSPC, () -> kernel.calls().pkeyAlloc(task, 0, 0));
  }
}
