// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_NORESERVE;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_NONE;
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
import io.faultline.mm.VmFlag;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The three modes of vm.overcommit_memory and vm.max_map_count, as Linux 6.18.44 answered when it was
 * asked the same.
 */
class MachineLimitsTest {
  private static final long TEBIBYTE = 1L << 40;

  private static KernelProfile withOvercommit(Overcommit mode) {
    return new KernelProfile(
        "overcommit " + mode, 0x7fff_ffff_f000L, 4096, 65536, 256, 65530, 24L << 30, 0, mode, 50,
        TransparentHugePages.MADVISE, true, 0);
  }

  private static void assertNoMemory(ThrowingCallable call) {
    assertThatExceptionOfType(ErrnoException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
  }

  @ParameterizedTest
  @CsvSource({
    "HEURISTIC, false, true,  false",
    "ALWAYS,    true,  true,  true",
    "NEVER,     false, false, false"
  })
  void aTebibyteIsPromisedOnlyWhereTheModeAllowsIt(
      Overcommit mode, boolean privateWritable, boolean noReserve, boolean shared)
      throws ErrnoException {
    try (Kernel kernel = new Kernel(16 << 20, withOvercommit(mode), DriverLog.NONE)) {
      Task task = kernel.tasks().spawn("greedy");
      assertThat(maps(kernel, task, PROT_READ | PROT_WRITE, MAP_PRIVATE))
          .isEqualTo(privateWritable);
      assertThat(maps(kernel, task, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE))
          .isEqualTo(noReserve);
      assertThat(maps(kernel, task, PROT_READ | PROT_WRITE, MAP_SHARED)).isEqualTo(shared);
      assertThat(maps(kernel, task, PROT_READ, MAP_PRIVATE)).isTrue();
      kernel.validate();
    }
  }

  private static boolean maps(Kernel kernel, Task task, int prot, int flags) {
    try {
      long address = kernel.calls().mmap(task, 0, TEBIBYTE, prot, flags | MAP_ANONYMOUS, -1, 0);
      kernel.calls().munmap(task, address, TEBIBYTE);
      return true;
    } catch (ErrnoException refused) {
      assertThat(refused.errno()).isEqualTo(Errno.ENOMEM);
      return false;
    }
  }

  @Test
  void whereNothingIsOvercommittedNoReserveCountsLikeAnyOther() throws ErrnoException {
    try (Kernel kernel =
        new Kernel(16 << 20, withOvercommit(Overcommit.NEVER), DriverLog.NONE)) {
      Task task = kernel.tasks().spawn("one page");
      long address =
          kernel
              .calls()
              .mmap(
                  task, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

      assertThat(kernel.calls().find(task, address).orElseThrow().flags().toSet())
          .contains(VmFlag.ACCOUNT)
          .doesNotContain(VmFlag.NORESERVE);
    }
  }

  /** Linux lets mmap make one area more than the limit, but nothing be split at the limit. */
  @Test
  void theLimitOnAreasIsCheckedAsLinuxChecksIt() throws ErrnoException {
    int limit = 100;
    KernelProfile profile = KernelProfile.LINUX_6_18.withMaxMapCount(limit);
    try (Kernel kernel = new Kernel(16 << 20, profile, DriverLog.NONE)) {
      Task task = kernel.tasks().spawn("many");
      long base =
          kernel
              .calls()
              .mmap(
                  task, 0, 300 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
      long next = base;
      while (kernel.calls().list(task).size() < limit) {
        kernel.calls().mprotect(task, next, PAGE_SIZE, PROT_READ | PROT_WRITE);
        next += 2 * PAGE_SIZE;
      }
      long beyond = next + PAGE_SIZE;

      assertNoMemory(
          () -> kernel.calls().mprotect(task, beyond, PAGE_SIZE, PROT_READ | PROT_WRITE));
      kernel.calls().mmap(task, 0, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      assertThat(kernel.calls().list(task)).hasSize(limit + 1);
      assertNoMemory(
          () -> kernel
              .calls()
              .mmap(task, 0, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
      assertNoMemory(() -> kernel.calls().munmap(task, beyond, PAGE_SIZE));
      kernel.calls().munmap(task, base, PAGE_SIZE);
      assertThat(kernel.calls().list(task)).hasSize(limit);
      kernel.validate();
    }
  }
}
