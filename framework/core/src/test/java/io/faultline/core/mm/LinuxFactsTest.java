// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MADV_COLLAPSE;
import static io.faultline.mm.Mman.MADV_DODUMP;
import static io.faultline.mm.Mman.MADV_DONTDUMP;
import static io.faultline.mm.Mman.MADV_DONTNEED;
import static io.faultline.mm.Mman.MADV_GUARD_INSTALL;
import static io.faultline.mm.Mman.MADV_HUGEPAGE;
import static io.faultline.mm.Mman.MADV_NOHUGEPAGE;
import static io.faultline.mm.Mman.MADV_PAGEOUT;
import static io.faultline.mm.Mman.MADV_REMOVE;
import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.MREMAP_FIXED;
import static io.faultline.mm.Mman.MREMAP_MAYMOVE;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_NONE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.core.Kernel;
import io.faultline.core.device.DriverLog;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.SpecialMapping;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the recordings leave open, settled by running it on Linux 6.18.44, and what it did there. */
class LinuxFactsTest {
  private static final long HUGE = 2L << 20;
  /** Two huge pages and room round them, away from everything else. */
  private static final long BASE = 0x1000_0000_0000L;

  private final Kernel kernel =
      new Kernel(64 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("facts");
  private final UserMemory memory = task.newCpu();

  @AfterEach
  void everythingAgrees() {
    kernel.validate();
    kernel.close();
  }

  private long map(long address, long length, int flags) throws ErrnoException {
    return kernel
        .calls()
        .mmap(
            task, address, length, PROT_READ | PROT_WRITE,
            flags | MAP_ANONYMOUS | (address == 0 ? 0 : MAP_FIXED), -1, 0);
  }

  private byte[] mincore(long address, int pages) throws ErrnoException {
    long vector = map(0, PAGE_SIZE, MAP_PRIVATE);
    kernel.calls().mincore(task, address, (long) pages * PAGE_SIZE, vector);
    MemorySegment told = MemorySegment.ofArray(new byte[pages]);
    memory.read(vector, told);
    return told.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void mincoreTellsWhatWasReadOrWritten() throws ErrnoException {
    long p = map(0, 4 * PAGE_SIZE, MAP_PRIVATE);
    memory.getByte(p);
    memory.putByte(p + PAGE_SIZE, (byte) 1);

    assertThat(mincore(p, 4)).containsExactly(1, 1, 0, 0);
  }

  @Test
  void mincoreStillTellsOfPagesThatMayNotBeTouched() throws ErrnoException {
    long p = map(0, 2 * PAGE_SIZE, MAP_PRIVATE);
    memory.putByte(p, (byte) 1);
    kernel.calls().mprotect(task, p, 2 * PAGE_SIZE, PROT_NONE);

    assertThat(mincore(p, 2)).containsExactly(1, 0);
  }

  @Test
  void mincoreTellsNothingOfAGuardPage() throws ErrnoException {
    long p = map(0, 2 * PAGE_SIZE, MAP_PRIVATE);
    memory.putByte(p + PAGE_SIZE, (byte) 1);
    kernel.calls().madvise(task, p + PAGE_SIZE, PAGE_SIZE, MADV_GUARD_INSTALL);

    assertThat(mincore(p, 2)).containsExactly(0, 0);
  }

  @Test
  void mincoreTellsOfSharedPagesThatAnotherMappingBroughtIn() throws ErrnoException {
    long p = map(0, 3 * PAGE_SIZE, MAP_SHARED);
    memory.getByte(p);
    memory.putByte(p + PAGE_SIZE, (byte) 1);
    long second = kernel.calls().mremap(task, p, 0, 3 * PAGE_SIZE, MREMAP_MAYMOVE, 0);

    assertThat(mincore(second, 3)).containsExactly(1, 1, 0);
  }

  @Test
  void mincoreTellsAllOnesOfTheKernelsOwnMappings() throws ErrnoException {
    String vvar =
        kernel
            .proc()
            .maps(task)
            .lines()
            .filter(line -> line.endsWith(SpecialMapping.VVAR.label()))
            .findFirst()
            .orElseThrow();
    long start = Long.parseLong(vvar.substring(0, vvar.indexOf('-')), 16);

    assertThat(mincore(start, 4)).containsExactly(1, 1, 1, 1);
  }

  @Test
  void aReadOfWhatCouldBeAHugePageAssignsAnAnonVma() throws ErrnoException {
    assertThat(joinsAfterARead(HUGE, MADV_HUGEPAGE)).isFalse();
  }

  @Test
  void aReadWithoutTheAdviceAssignsNone() throws ErrnoException {
    assertThat(joinsAfterARead(HUGE, MADV_NOHUGEPAGE)).isTrue();
  }

  @Test
  void aReadWithoutRoomForAHugePageAssignsNone() throws ErrnoException {
    assertThat(joinsAfterARead(HUGE / 2, MADV_HUGEPAGE)).isTrue();
  }

  /**
   * Reads the lower of two areas, the upper of which was written; they join only if the lower one has
   * no anon_vma of its own.
   */
  private boolean joinsAfterARead(long length, int advice) throws ErrnoException {
    map(BASE, length, MAP_PRIVATE);
    long upper = map(BASE + length, PAGE_SIZE, MAP_PRIVATE);
    kernel.calls().madvise(task, upper, PAGE_SIZE, MADV_DONTDUMP);
    memory.putByte(upper, (byte) 1);
    kernel.calls().madvise(task, BASE, length + PAGE_SIZE, advice);
    memory.getByte(BASE);
    kernel.calls().madvise(task, upper, PAGE_SIZE, MADV_DODUMP);
    Vma lower = kernel.calls().find(task, BASE).orElseThrow();
    return lower.end() == upper + PAGE_SIZE;
  }

  @Test
  void collapseNeedsAPageThatWasWritten() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_PRIVATE);
    assertCollapseIsInvalid("the area at 0x100000000000 takes no huge page");
    memory.getByte(BASE);
    assertCollapseIsInvalid("the area at 0x100000000000 takes no huge page");
    memory.putByte(BASE, (byte) 1);
    assertThatCode(() -> kernel.calls().madvise(task, BASE, HUGE, MADV_COLLAPSE))
        .doesNotThrowAnyException();
    assertThat(mincore(BASE, 512)).containsOnly(1);
  }

  @Test
  void collapseRespectsTheAdviceAgainstHugePages() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_PRIVATE);
    kernel.calls().madvise(task, BASE, 2 * HUGE, MADV_NOHUGEPAGE);
    memory.putByte(BASE, (byte) 1);
    assertCollapseIsInvalid("the area at 0x100000000000 takes no huge page");
  }

  @Test
  void collapseTakesSharedMemoryOfWhichOnePageIsThere() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_SHARED);
    assertCollapseIsInvalid("a part of the range was never touched, or has guard pages");
    memory.getByte(BASE);
    kernel.calls().madvise(task, BASE, HUGE, MADV_COLLAPSE);
    assertThat(mincore(BASE, 512)).containsOnly(1);
    assertThat(mincore(BASE + HUGE, 512)).containsOnly(0);
  }

  @Test
  void collapseOfLessThanAHugePageSucceedsOnlyAcrossABorder() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_PRIVATE);
    memory.putByte(BASE, (byte) 1);
    kernel.calls().madvise(task, BASE + HUGE - PAGE_SIZE, 2 * PAGE_SIZE, MADV_COLLAPSE);
    assertThatThrownBy(
        () -> kernel.calls().madvise(task, BASE + PAGE_SIZE, PAGE_SIZE, MADV_COLLAPSE))
        .hasMessageContaining("advice: a part of the range");
  }

  @Test
  void discardingAWholeTablesRangeTakesTheTableAwayToo() throws ErrnoException {
    map(BASE, 3 * HUGE, MAP_PRIVATE);
    memory.putByte(BASE + 2 * HUGE, (byte) 1);
    memory.putByte(BASE, (byte) 1);
    kernel.calls().madvise(task, BASE, PAGE_SIZE, MADV_DONTNEED);
    assertThatCode(() -> kernel.calls().madvise(task, BASE, HUGE, MADV_COLLAPSE))
        .as("a page of the range was discarded, its table stays")
        .doesNotThrowAnyException();
    kernel.calls().madvise(task, BASE, HUGE, MADV_DONTNEED);
    assertCollapseIsInvalid("a part of the range was never touched, or has guard pages");
  }

  @Test
  void aMoveMakesTablesWhereverItsSourceHasOne() throws ErrnoException {
    map(BASE + 2 * HUGE, HUGE, MAP_PRIVATE);
    memory.putByte(BASE + 2 * HUGE, (byte) 1);
    // Two pages that were never touched, beside one that was; the second one comes to lie in BASE's table.
    long target = BASE - PAGE_SIZE;
    kernel.calls().mremap(
        task, BASE + 2 * HUGE + PAGE_SIZE, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
        MREMAP_MAYMOVE | MREMAP_FIXED, target);
    kernel.calls().mremap(task, target, 2 * PAGE_SIZE, PAGE_SIZE + HUGE, 0, 0);
    assertThatCode(() -> kernel.calls().madvise(task, BASE, HUGE, MADV_COLLAPSE))
        .doesNotThrowAnyException();
  }

  @Test
  void removedPagesAreGoneForAllWhoMapThem() throws ErrnoException {
    long p = map(0, 2 * PAGE_SIZE, MAP_SHARED);
    long second = kernel.calls().mremap(task, p, 0, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
    memory.putByte(p, (byte) 1);
    memory.putByte(p + PAGE_SIZE, (byte) 2);
    assertThat(memory.getByte(second)).isEqualTo((byte) 1);
    kernel.calls().madvise(task, p, PAGE_SIZE, MADV_REMOVE);

    assertThat(mincore(second, 2)).containsExactly(0, 1);
    assertThat(memory.getByte(second)).isZero();
  }

  @Test
  void pageOutDropsSharedPagesThatNobodyWroteTo() throws ErrnoException {
    long p = map(0, 4 * PAGE_SIZE, MAP_SHARED);
    memory.getByte(p);
    memory.getByte(p + PAGE_SIZE);
    memory.putByte(p + 2 * PAGE_SIZE, (byte) 1);
    kernel.calls().madvise(task, p, 4 * PAGE_SIZE, MADV_PAGEOUT);

    assertThat(mincore(p, 4)).as("there is no swap").containsExactly(0, 0, 1, 0);
  }

  @Test
  void collapseRefusesGuardPagesInSharedMemoryToo() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_SHARED);
    memory.getByte(BASE);
    kernel.calls().madvise(task, BASE + PAGE_SIZE, PAGE_SIZE, MADV_GUARD_INSTALL);
    assertCollapseIsInvalid("a part of the range was never touched, or has guard pages");
  }

  @Test
  void collapseRefusesGuardPages() throws ErrnoException {
    map(BASE, 2 * HUGE, MAP_PRIVATE);
    memory.putByte(BASE, (byte) 1);
    kernel.calls().madvise(task, BASE + PAGE_SIZE, PAGE_SIZE, MADV_GUARD_INSTALL);
    assertCollapseIsInvalid("a part of the range was never touched, or has guard pages");
  }

  @Test
  void freedPagesStayUntilMemoryIsShort() throws ErrnoException {
    map(BASE, HUGE, MAP_PRIVATE);
    memory.putByte(BASE, (byte) 7);
    kernel.calls().madvise(task, BASE, HUGE, Mman.MADV_FREE);
    assertThat(memory.getByte(BASE)).isEqualTo((byte) 7);
    assertThat(mincore(BASE, 2)).containsExactly(1, 0);
  }

  @Test
  void whatDontunmapLeavesBehindIsUnlockedAsAWhole() throws ErrnoException {
    long address = map(BASE, 8 * PAGE_SIZE, MAP_PRIVATE);
    kernel.calls().mlock(task, address, 8 * PAGE_SIZE);

    long moved =
        kernel.calls().mremap(
            task, address, 4 * PAGE_SIZE, 4 * PAGE_SIZE,
            Mman.MREMAP_MAYMOVE | Mman.MREMAP_DONTUNMAP, 0);

    Vma left = kernel.calls().find(task, address).orElseThrow();
    assertThat(left.length()).isEqualTo(8 * PAGE_SIZE);
    assertThat(left.has(VmFlag.LOCKED)).isFalse();
    assertThat(kernel.calls().find(task, moved).orElseThrow().has(VmFlag.LOCKED)).isTrue();
    kernel.validate();

    kernel.calls().munmap(task, moved, 4 * PAGE_SIZE);
    kernel.calls().munmap(task, address, 8 * PAGE_SIZE);
  }

  private void assertCollapseIsInvalid(String why) {
    assertThatThrownBy(() -> kernel.calls().madvise(task, BASE, HUGE, MADV_COLLAPSE))
        .hasToString("EINVAL (Invalid argument): advice: " + why);
  }
}
