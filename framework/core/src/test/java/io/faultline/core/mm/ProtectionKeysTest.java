// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Keys on a processor that has none, as Linux 6.18.44 answers there. */
class ProtectionKeysTest {
  private final Kernel kernel = new Kernel(16 << 20, withoutKeys(), DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("keyless");

  private static KernelProfile withoutKeys() {
    KernelProfile p = KernelProfile.LINUX_6_18;
    return new KernelProfile(
        p.name(), p.taskSize(), p.mmapMinAddress(), p.lowestPlacement(), p.stackGuardGapPages(),
        p.maxMapCount(), p.totalMemoryBytes(), p.totalSwapBytes(), p.overcommit(),
        p.overcommitRatio(), p.transparentHugePages(), false, p.freeHugePages());
  }

  @AfterEach
  void close() {
    kernel.close();
  }

  private static Errno refused(ThrowingCallable call) {
    return catchThrowableOfType(ErrnoException.class, call).errno();
  }

  @Test
  void firstAllocationCannotBeSetUpAndLaterOnesFindNoKey() {
    assertThat(refused(() -> kernel.calls().pkeyAlloc(task, 0, 0))).isEqualTo(Errno.EINVAL);
    assertThat(refused(() -> kernel.calls().pkeyAlloc(task, 0, 0))).isEqualTo(Errno.ENOSPC);
    assertThat(refused(() -> kernel.calls().pkeyAlloc(task, 1, 0))).isEqualTo(Errno.EINVAL);
  }

  @Test
  void noKeyCanBeNamedNotEvenZero() throws ErrnoException {
    long at = kernel.calls().mmap(
        task, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assertThat(refused(() -> kernel.calls().pkeyFree(task, 0))).isEqualTo(Errno.EINVAL);
    assertThat(refused(() -> kernel.calls().pkeyMprotect(task, at, PAGE_SIZE, PROT_READ, 0)))
        .isEqualTo(Errno.EINVAL);
    assertThatCode(() -> kernel.calls().pkeyMprotect(task, at, PAGE_SIZE, PROT_READ, -1))
        .doesNotThrowAnyException();
  }
}
