// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Vma;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code mbind} and {@code set_mempolicy}, as Linux 6.18.44 with one node answers them. */
class MemoryPolicyTest {
  private static final long BASE = 0x2000_0000L;
  private static final int PAGES = 16;
  private static final long[] NODE_0 = {1};
  private static final long BITS = 65;

  private final Kernel kernel = new Kernel(16 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("policies");
  private final UserMemory memory = task.newCpu();

  MemoryPolicyTest() throws ErrnoException {
    map(BASE, PAGES);
  }

  @AfterEach
  void everythingAgrees() {
    kernel.validate();
    kernel.close();
  }

  private void map(long address, int pages) throws ErrnoException {
    kernel.calls().mmap(
        task, address, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }

  private void bind(int page, int pages, int mode, long... mask) throws ErrnoException {
    kernel.calls().mbind(
        task, BASE + page * PAGE_SIZE, pages * PAGE_SIZE, mode, mask, BITS, 0);
  }

  private void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(ErrnoException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  /** First and last page of each area of the test's range. */
  private String areas() {
    StringBuilder text = new StringBuilder();
    for (Vma vma : kernel.calls().list(task)) {
      if (vma.start() >= BASE && vma.start() < BASE + PAGES * PAGE_SIZE) {
        text.append((vma.start() - BASE) / PAGE_SIZE).append('-')
            .append((vma.end() - BASE) / PAGE_SIZE).append(' ');
      }
    }
    return text.toString().strip();
  }

  @Test
  void aPolicyCutsAnArea() throws ErrnoException {
    bind(4, 4, MPOL_BIND, NODE_0);

    assertThat(areas()).isEqualTo("0-4 4-8 8-16");
  }

  @Test
  void neighboursOfTheSamePolicyJoin() throws ErrnoException {
    bind(4, 4, MPOL_BIND, NODE_0);
    bind(8, 4, MPOL_BIND, NODE_0);

    assertThat(areas()).isEqualTo("0-4 4-12 12-16");
  }

  @Test
  void neighboursOfOtherPoliciesStayApart() throws ErrnoException {
    bind(4, 4, MPOL_BIND, NODE_0);
    bind(8, 4, MPOL_INTERLEAVE, NODE_0);

    assertThat(areas()).isEqualTo("0-4 4-8 8-12 12-16");
  }

  @Test
  void whatWasAskedForMattersWhereTheFlagsKeepIt() throws ErrnoException {
    bind(4, 4, MPOL_BIND | MPOL_F_STATIC_NODES, 1);
    bind(8, 4, MPOL_BIND | MPOL_F_STATIC_NODES, 3);

    assertThat(areas()).isEqualTo("0-4 4-8 8-12 12-16");
  }

  @Test
  void nodesThatThereAreNotAreLeftOut() throws ErrnoException {
    bind(4, 4, MPOL_BIND, 1);
    bind(8, 4, MPOL_BIND, 3);

    assertThat(areas()).isEqualTo("0-4 4-12 12-16");
  }

  @Test
  void preferringNoNodeIsLocal() throws ErrnoException {
    bind(4, 4, MPOL_LOCAL, 0);
    bind(8, 4, MPOL_PREFERRED, 0);

    assertThat(areas()).isEqualTo("0-4 4-12 12-16");
  }

  @Test
  void theDefaultTakesThePolicyAwayOverHolesToo() throws ErrnoException {
    bind(4, 4, MPOL_BIND, NODE_0);
    kernel.calls().munmap(task, BASE + 14 * PAGE_SIZE, PAGE_SIZE);

    bind(0, PAGES, MPOL_DEFAULT, 0);

    assertThat(areas()).isEqualTo("0-14 15-16");
  }

  @Test
  void aNewMappingHasNoPolicyAndDoesNotJoin() throws ErrnoException {
    bind(0, 8, MPOL_BIND, NODE_0);
    kernel.calls().munmap(task, BASE + 6 * PAGE_SIZE, 2 * PAGE_SIZE);

    map(BASE + 6 * PAGE_SIZE, 2);

    assertThat(areas()).isEqualTo("0-6 6-16");
  }

  @Test
  void aMoveTakesThePolicyAlong() throws ErrnoException {
    bind(0, 2, MPOL_BIND, NODE_0);
    bind(8, 2, MPOL_BIND, NODE_0);

    kernel.calls().mremap(
        task, BASE + 8 * PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
        MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 2 * PAGE_SIZE);

    assertThat(areas()).isEqualTo("0-4 4-8 10-16");
  }

  @Test
  void theHeapDoesNotGrowIntoAPolicy() throws ErrnoException {
    long start = kernel.calls().brk(task, 0);
    kernel.calls().brk(task, start + PAGE_SIZE);
    kernel.calls().mbind(task, start, PAGE_SIZE, MPOL_BIND, NODE_0, BITS, 0);

    kernel.calls().brk(task, start + 2 * PAGE_SIZE);

    Vma heap = kernel.calls().find(task, start).orElseThrow();
    assertThat(heap.end()).isEqualTo(start + PAGE_SIZE);
  }

  @Test
  void aHoleIsToldBeforeAnythingIsChanged() throws ErrnoException {
    kernel.calls().munmap(task, BASE + 8 * PAGE_SIZE, PAGE_SIZE);

    assertRefused(Errno.EFAULT, () -> bind(0, PAGES, MPOL_BIND, NODE_0));

    assertThat(areas()).isEqualTo("0-8 9-16");
  }

  @Test
  void strictFindsPagesOnTheWrongNode() throws ErrnoException {
    memory.putByte(BASE, (byte) 1);

    assertRefused(Errno.EIO, () -> kernel.calls().mbind(
        task, BASE, PAGE_SIZE, MPOL_LOCAL, 0L, 0, MPOL_MF_STRICT));
    assertThatCode(() -> kernel.calls().mbind(
        task, BASE, PAGE_SIZE, MPOL_BIND, NODE_0, BITS, MPOL_MF_STRICT))
        .doesNotThrowAnyException();
  }

  @Test
  void theMaskIsReadFromTheProcess() throws ErrnoException {
    memory.putLong(BASE, 1);

    kernel.calls().mbind(
        task, BASE + 4 * PAGE_SIZE, 4 * PAGE_SIZE, MPOL_BIND, BASE, BITS, 0);

    assertThat(areas()).isEqualTo("0-4 4-8 8-16");
    assertRefused(Errno.EFAULT, () -> kernel.calls().mbind(
        task, BASE, PAGE_SIZE, MPOL_BIND, BASE - PAGE_SIZE, BITS, 0));
  }

  /** Linux's answers, asked in a loop over all modes. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 65, ok", "0, 1, 65, EINVAL", "0, 1, 1, ok", "0, 1, 0, EINVAL",
    "1, 0, 65, ok", "1, 1, 65, ok", "1, 2, 65, EINVAL", "1, 3, 65, ok",
    "2, 0, 65, EINVAL", "2, 1, 2, ok", "2, 1, 1, EINVAL", "2, 2, 65, EINVAL", "2, 3, 65, ok",
    "2, 1, 32769, ok", "2, 1, 32770, EINVAL",
    "3, 0, 65, EINVAL", "3, 1, 65, ok", "4, 0, 65, ok", "4, 1, 65, EINVAL",
    "5, 1, 65, ok", "6, 1, 65, ok", "7, 1, 65, EINVAL",
    "8193, 1, 65, EINVAL", "8194, 1, 65, ok", "8197, 1, 65, ok",
    "16385, 2, 65, ok", "32769, 2, 65, EINVAL", "16385, 0, 65, EINVAL", "49154, 1, 65, EINVAL",
    "16388, 0, 65, EINVAL"})
  void theProcessesPolicyIsCheckedInLinuxsWay(int mode, long mask, long maxNode, String answer) {
    String got = "ok";
    try {
      kernel.calls().setMempolicy(task, mode, new long[] {mask}, maxNode);
    } catch (ErrnoException refused) {
      got = refused.errno().name();
    }
    assertThat(got).isEqualTo(answer);
  }
}
