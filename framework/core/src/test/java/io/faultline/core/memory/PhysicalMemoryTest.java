// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What physical memory promises. */
class PhysicalMemoryTest {
  private static final long MIB = 1 << 20;

  private final PhysicalMemory memory = new PhysicalMemory(16 * MIB);

  @AfterEach
  void everyInvariantHolds() {
    memory.validate();
    memory.close();
  }

  @Test
  void aFreshFrameIsZeroAndHasOneReference() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    assertThat(memory.references(frame)).isEqualTo(1);
    assertThat(memory.use(frame)).isEqualTo(FrameUse.ANONYMOUS);
    assertThat(memory.isLive(frame)).isTrue();
    assertZero(memory.segment(frame));
  }

  @Test
  void aFrameIsZeroAgainWhenItIsHandedOutAgain() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    memory.segment(frame).fill((byte) 0x5a);
    memory.put(frame);
    long again = memory.allocate(FrameUse.FILE);
    assertThat(again).as("the warm frame comes first").isEqualTo(frame);
    assertZero(memory.segment(again));
    assertThat(memory.use(again)).isEqualTo(FrameUse.FILE);
  }

  @Test
  void aRunIsZeroAgainWhereOneOfItsFramesWasUsed() {
    long first = memory.allocateRun(3, FrameUse.DRIVER);
    for (long f = first; f < first + 8; f++) {
      memory.segment(f).fill((byte) 1);
      memory.put(f);
    }
    for (long run = memory.allocateRun(3, FrameUse.DRIVER); run != PhysicalMemory.NONE;
        run = memory.allocateRun(3, FrameUse.DRIVER)) {
      assertZero(memory.arena().asSlice(run * Mman.PAGE_SIZE, 8 * Mman.PAGE_SIZE));
    }
  }

  @Test
  void frameNumberZeroStandsForNoFrameAndIsNeverHandedOut() {
    Set<Long> all = new HashSet<>();
    for (long f = memory.allocate(FrameUse.KERNEL); f != PhysicalMemory.NONE;
        f = memory.allocate(FrameUse.KERNEL)) {
      assertThat(all.add(f)).as("frame %d is handed out once", f).isTrue();
    }
    assertThat(all).doesNotContain(0L).hasSize((int) memory.frames() - 2);
  }

  @Test
  void memoryThatIsUsedUpIsToldByNoneAndComesBack() {
    List<Long> all = new ArrayList<>();
    for (long f = memory.allocate(FrameUse.ANONYMOUS); f != PhysicalMemory.NONE;
        f = memory.allocate(FrameUse.ANONYMOUS)) {
      all.add(f);
    }
    assertThat(memory.counts().free()).isZero();
    all.forEach(memory::put);
    assertThat(memory.counts().free()).isEqualTo(memory.frames() - 2);
    assertThat(memory.allocateRun(PhysicalMemory.MAX_ORDER, FrameUse.DRIVER))
        .as("free neighbours have grown together again").isNotEqualTo(PhysicalMemory.NONE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 5, 10})
  void aRunIsConsecutiveAndAligned(int order) {
    memory.allocate(FrameUse.KERNEL);
    long first = memory.allocateRun(order, FrameUse.DRIVER);
    assertThat(first % (1L << order)).isZero();
    for (long f = first; f < first + (1L << order); f++) {
      assertThat(memory.references(f)).isEqualTo(1);
    }
    assertThat(memory.counts().driver()).isEqualTo(1L << order);
  }

  @Test
  void eachFrameOfARunIsFreedOnItsOwn() {
    long first = memory.allocateRun(2, FrameUse.DRIVER);
    memory.put(first + 2);
    assertThat(memory.isLive(first + 2)).isFalse();
    assertThat(memory.isLive(first + 3)).isTrue();
  }

  @Test
  void theLastReferenceFrees() {
    long frame = memory.allocate(FrameUse.SHMEM);
    memory.get(frame);
    memory.put(frame);
    assertThat(memory.isLive(frame)).isTrue();
    memory.put(frame);
    assertThat(memory.isLive(frame)).isFalse();
    assertThat(memory.references(frame)).isZero();
  }

  @Test
  void aFreeFrameGivesAndTakesNoReference() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    memory.put(frame);
    assertThatIllegalStateException().isThrownBy(() -> memory.put(frame))
        .withMessageContaining("frame " + frame);
    assertThatIllegalStateException().isThrownBy(() -> memory.get(frame))
        .withMessageContaining("frame " + frame);
    assertThat(memory.tryGet(frame)).isFalse();
    assertThatIllegalStateException().isThrownBy(() -> memory.use(frame));
  }

  @Test
  void numbersThatAreNoFrameAreNotLive() {
    assertThat(memory.isLive(0)).isFalse();
    assertThat(memory.isLive(-1)).isFalse();
    assertThat(memory.isLive(memory.frames())).isFalse();
    assertThat(memory.isLive(memory.frames() - 1)).as("not handed out yet").isFalse();
    assertThatIllegalStateException().isThrownBy(() -> memory.put(memory.frames()));
  }

  @Test
  void thePageOfZerosIsNeverFreed() {
    long zero = memory.zeroFrame();
    memory.put(zero);
    memory.put(zero);
    assertThat(memory.isLive(zero)).isTrue();
    assertThat(memory.use(zero)).isEqualTo(FrameUse.KERNEL);
    assertZero(memory.segment(zero));
  }

  @Test
  void copyTakesAllBytes() {
    long from = memory.allocate(FrameUse.ANONYMOUS);
    long to = memory.allocate(FrameUse.ANONYMOUS);
    for (long i = 0; i < Mman.PAGE_SIZE; i += 8) {
      memory.segment(from).set(ValueLayout.JAVA_LONG, i, i * 31);
    }
    memory.copy(from, to);
    assertThat(memory.segment(to).mismatch(memory.segment(from))).isEqualTo(-1);
  }

  @Test
  void countsAreByUse() {
    long a = memory.allocate(FrameUse.FILE);
    memory.allocate(FrameUse.FILE);
    memory.allocateRun(4, FrameUse.PAGE_TABLE);
    memory.put(a);
    FrameCounts counts = memory.counts();
    assertThat(counts.file()).isEqualTo(1);
    assertThat(counts.pageTable()).isEqualTo(16);
    assertThat(counts.kernel()).as("the page of zeros").isEqualTo(1);
    assertThat(counts.used() + counts.free()).isEqualTo(counts.total() - 1);
    assertThat(counts.of(FrameUse.PAGE_TABLE)).isEqualTo(16);
  }

  @Test
  void aSizeThatIsNoWholeNumberOfBlocksIsUsedToItsEnd() {
    try (PhysicalMemory odd = new PhysicalMemory(1030L * Mman.PAGE_SIZE)) {
      long got = 0;
      while (odd.allocate(FrameUse.ANONYMOUS) != PhysicalMemory.NONE) {
        got++;
      }
      assertThat(got).isEqualTo(1030 - 2);
      odd.validate();
    }
  }

  @Test
  void aTerabyteCostsNothingUntilItIsUsed() {
    try (PhysicalMemory huge = new PhysicalMemory(1L << 40)) {
      long frame = huge.allocate(FrameUse.ANONYMOUS);
      huge.segment(frame).fill((byte) 1);
      assertThat(huge.counts().free()).isEqualTo((1L << 28) - 3);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 4096, 16385, -4096, Long.MAX_VALUE & -4096})
  void sizesThatMakeNoSenseAreRefused(long bytes) {
    assertThatIllegalArgumentException().isThrownBy(() -> new PhysicalMemory(bytes))
        .withMessageContaining("bytes = " + bytes);
  }

  @Test
  void aSparseFileServesWhereNativeAccessIsNotAllowed() {
    try (PhysicalMemory onFile =
        new PhysicalMemory(MIB, new Backing.SparseFile(MIB))) {
      long frame = onFile.allocate(FrameUse.ANONYMOUS);
      assertZero(onFile.segment(frame));
      onFile.segment(frame).set(ValueLayout.JAVA_LONG, 8, 42);
      assertThat(onFile.arena().get(ValueLayout.JAVA_LONG, frame * Mman.PAGE_SIZE + 8))
          .isEqualTo(42);
    }
  }

  @Test
  void memoryThatWasGivenBackReadsAsZeros() {
    PhysicalMemory closed = new PhysicalMemory(MIB);
    MemorySegment page = closed.segment(closed.allocate(FrameUse.ANONYMOUS));
    page.fill((byte) 1);
    closed.close();
    closed.close();
    assertZero(page);
  }

  @Test
  void manyThreadsNeverShareAFrame() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<Void>> jobs = new ArrayList<>();
      for (int t = 1; t <= 4; t++) {
        long tag = t;
        jobs.add(() -> {
          for (int round = 0; round < 200; round++) {
            long[] mine = new long[50];
            for (int i = 0; i < mine.length; i++) {
              mine[i] = memory.allocate(FrameUse.ANONYMOUS);
              MemorySegment page = memory.segment(mine[i]);
              assertThat(page.get(ValueLayout.JAVA_LONG, 0)).isZero();
              page.set(ValueLayout.JAVA_LONG, 0, tag);
            }
            for (long frame : mine) {
              assertThat(memory.segment(frame).get(ValueLayout.JAVA_LONG, 0)).isEqualTo(tag);
              memory.get(frame);
              memory.put(frame);
            }
            memory.putAll(mine, mine.length);
          }
          return null;
        });
      }
      for (Future<Void> done : threads.invokeAll(jobs)) {
        done.get();
      }
    }
    assertThat(memory.counts().anonymous()).isZero();
  }

  private static void assertZero(MemorySegment bytes) {
    for (long i = 0; i < bytes.byteSize(); i += 8) {
      if (bytes.get(ValueLayout.JAVA_LONG, i) != 0) {
        assertThat(bytes.get(ValueLayout.JAVA_LONG, i)).as("bytes at %d", i).isZero();
      }
    }
  }
}
