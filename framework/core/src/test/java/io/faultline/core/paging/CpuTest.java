// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A processor's loads and stores, hits and misses. */
class CpuTest {
  private static final long A = 0x7f00_0000_0000L;
  private static final long B = A + 4096;
  private static final long C = B + 4096;

  private final PhysicalMemory memory = new PhysicalMemory(8 << 20);
  private final PageTables tables = new PageTables(memory);
  private final List<String> faults = new ArrayList<>();
  private final Cpu cpu = new Cpu(tables, this::refuse);

  @AfterEach
  void close() {
    memory.validate();
    memory.close();
  }

  private void refuse(long address, Access access) {
    faults.add(access + " " + Long.toHexString(address));
    throw new SignalException(new Siginfo(SignalCode.SEGV_MAPERR, address, "nothing is mapped"));
  }

  private long map(long address, boolean write) {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    tables.set(address, Pte.of(frame, Pte.protection(true, write, false, 0), Pte.ANON));
    return frame;
  }

  @Test
  void everyWidthLoadsWhatItStoredLittleEndian() {
    long frame = map(A, true);
    cpu.putLong(A + 8, 0x1122_3344_5566_7788L);
    assertThat(cpu.getLong(A + 8)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(cpu.getInt(A + 8)).isEqualTo(0x5566_7788);
    assertThat(cpu.getShort(A + 8)).isEqualTo((short) 0x7788);
    assertThat(cpu.getByte(A + 8)).isEqualTo((byte) 0x88);
    assertThat(memory.segment(frame).get(ValueLayout.JAVA_BYTE, 15)).isEqualTo((byte) 0x11);
    cpu.putByte(A + 1, (byte) -1);
    cpu.putShort(A + 3, (short) -2);
    cpu.putInt(A + 17, -3);
    assertThat(cpu.getByte(A + 1)).isEqualTo((byte) -1);
    assertThat(cpu.getShort(A + 3)).isEqualTo((short) -2);
    assertThat(cpu.getInt(A + 17)).isEqualTo(-3);
    assertThat(faults).isEmpty();
  }

  @Test
  void theFirstAccessOfEachWidthIsAsGoodAsTheNext() {
    map(A, true);
    new Cpu(tables, this::refuse).putLong(A, 0x8899_aabb_ccdd_eeffL);
    assertThat(new Cpu(tables, this::refuse).getLong(A)).isEqualTo(0x8899_aabb_ccdd_eeffL);
    assertThat(new Cpu(tables, this::refuse).getInt(A)).isEqualTo(0xccdd_eeff);
    assertThat(new Cpu(tables, this::refuse).getShort(A)).isEqualTo((short) 0xeeff);
    assertThat(new Cpu(tables, this::refuse).getByte(A)).isEqualTo((byte) 0xff);
  }

  @Test
  void valuesCrossPagesAtEachOffset() {
    map(A, true);
    map(B, true);
    for (int back = 1; back < 8; back++) {
      long value = 0x0102_0304_0506_0708L * back;
      cpu.putLong(B - back, value);
      assertThat(cpu.getLong(B - back)).as("%d bytes on the first page", back).isEqualTo(value);
      assertThat(cpu.getByte(B - back + 7)).isEqualTo((byte) (value >>> 56));
    }
    cpu.putInt(B - 1, 0xcafebabe);
    assertThat(cpu.getInt(B - 1)).isEqualTo(0xcafebabe);
    cpu.putShort(B - 1, (short) 0xbeef);
    assertThat(cpu.getShort(B - 1)).isEqualTo((short) 0xbeef);
  }

  @Test
  void aStoreAcrossPagesIsDoneWholeOrNotAtAll() {
    map(A, true);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putLong(B - 4, -1))
        .satisfies(e -> assertThat(e.info().address()).as("the first missing byte").isEqualTo(B));
    assertThat(cpu.getInt(B - 4)).isZero();
  }

  @Test
  void aMissAsksTheHandlerOnceAndTriesAgain() {
    Cpu lazy = new Cpu(tables, (address, access) -> {
      faults.add(access + " " + Long.toHexString(address));
      map(address & -4096, access == Access.WRITE);
    });
    lazy.putInt(A + 4, 7);
    assertThat(lazy.getInt(A + 4)).isEqualTo(7);
    assertThat(lazy.getByte(B + 9)).isZero();
    assertThat(faults).containsExactly("WRITE " + Long.toHexString(A + 4),
        "READ " + Long.toHexString(B + 9));
  }

  @Test
  void aReadOnlyPageFaultsOnTheStoreAlone() {
    map(A, false);
    assertThat(cpu.getLong(A)).isZero();
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putByte(A, (byte) 1));
    assertThatExceptionOfType(SignalException.class)
        .isThrownBy(() -> cpu.compareAndSetInt(A, 0, 1));
    assertThatExceptionOfType(SignalException.class)
        .isThrownBy(() -> cpu.touch(A, Access.EXECUTE));
    assertThat(faults).hasSize(3);
    assertThat(cpu.getLong(A)).isZero();
  }

  @Test
  void aProtNonePageFaultsAlways() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    tables.set(A, Pte.of(frame, Pte.protection(false, false, false, 0), Pte.ANON));
    for (Access access : Access.values()) {
      assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.touch(A, access));
    }
  }

  @Test
  void addressesThatNoTableCanHoldGoToTheHandler() {
    for (long address : new long[] {1L << 47, 1L << 63, -1, -4096, 0xffff_8000_0000_0000L}) {
      faults.clear();
      assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getByte(address));
      assertThat(faults).containsExactly("READ " + Long.toHexString(address));
    }
    map((1L << 47) - 4096, true);
    faults.clear();
    assertThatExceptionOfType(SignalException.class)
        .isThrownBy(() -> cpu.getLong((1L << 47) - 4));
    assertThat(faults).containsExactly("READ 800000000000");
  }

  @Test
  void aWalkSetsAccessedAndAStoreSetsDirtyAsTheProcessorDoes() {
    map(A, true);
    cpu.getByte(A);
    assertThat(Pte.isAccessed(tables.get(A))).isTrue();
    assertThat(Pte.isDirty(tables.get(A))).isFalse();
    cpu.putByte(A, (byte) 1);
    assertThat(Pte.isDirty(tables.get(A))).isTrue();
  }

  @Test
  void afterItIsCleanedAndFlushedAStoreSetsDirtyAgain() {
    map(A, true);
    cpu.putByte(A, (byte) 1);
    tables.visit(A, B, (address, entry) -> entry & ~Pte.DIRTY);
    tables.flush(A, B);
    assertThat(cpu.getByte(A)).isEqualTo((byte) 1);
    assertThat(Pte.isDirty(tables.get(A))).isFalse();
    cpu.putByte(A, (byte) 2);
    assertThat(Pte.isDirty(tables.get(A))).isTrue();
  }

  @Test
  void aFlushForgetsThePageAndLeavesItsNeighbour() {
    map(A, true);
    map(B, true);
    cpu.putByte(A, (byte) 1);
    cpu.putByte(B, (byte) 2);
    FrameGather gather = new FrameGather(tables);
    tables.visit(A, C, (address, entry) -> {
      gather.add(address, Pte.frame(entry));
      return 0;
    });
    gather.finish();
    assertThat(memory.counts().anonymous()).isZero();
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getByte(A));
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putByte(B, (byte) 1));
  }

  @Test
  void aNewFrameAtTheSameAddressIsSeenAfterTheFlush() {
    long old = map(A, true);
    cpu.putInt(A, 1);
    long young = map(A, true);
    assertThat(cpu.getInt(A)).as("like a real TLB, it does not look without a flush").isEqualTo(1);
    tables.flush(A, B);
    assertThat(cpu.getInt(A)).isZero();
    cpu.putInt(A, 2);
    assertThat(memory.segment(young).get(ValueLayout.JAVA_INT, 0)).isEqualTo(2);
    assertThat(memory.segment(old).get(ValueLayout.JAVA_INT, 0)).isEqualTo(1);
  }

  @Test
  void aLargeFlushReachesEverySlot() {
    for (int i = 0; i < 600; i++) {
      map(A + i * 4096L, true);
      cpu.putInt(A + i * 4096L, i);
    }
    tables.visit(A, A + 600 * 4096L, (address, entry) -> 0);
    tables.flush(A, A + 600 * 4096L);
    for (int i = 0; i < 600; i++) {
      long address = A + i * 4096L;
      assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getInt(address));
    }
  }

  @Test
  void moreRightsNeedNoFlush() {
    map(A, false);
    cpu.getByte(A);
    tables.set(A, Pte.withProtection(tables.get(A), Pte.protection(true, true, true, 0)));
    cpu.putByte(A, (byte) 3);
    cpu.touch(A, Access.EXECUTE);
    assertThat(faults).isEmpty();
  }

  @Test
  void protectionKeysTakeEffectAtOnce() {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    tables.set(A, Pte.of(frame, Pte.protection(true, true, true, 3), Pte.ANON));
    cpu.putInt(A, 1);
    tables.setPkru(2 << 6);
    assertThat(cpu.getInt(A)).isEqualTo(1);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putInt(A, 2));
    tables.setPkru(1 << 6);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getInt(A));
    cpu.touch(A, Access.EXECUTE);
    tables.setPkru(0);
    cpu.putInt(A, 2);
    assertThat(tables.pkru()).isZero();
  }

  @Test
  void copiesCrossPagesAndStopAtTheFault() {
    map(A, true);
    map(B, true);
    byte[] text = "across the boundary of two pages".getBytes(StandardCharsets.UTF_8);
    cpu.write(B - 10, MemorySegment.ofArray(text));
    byte[] back = new byte[text.length];
    cpu.read(B - 10, MemorySegment.ofArray(back));
    assertThat(back).isEqualTo(text);

    assertThatExceptionOfType(SignalException.class)
        .isThrownBy(() -> cpu.write(C - 10, MemorySegment.ofArray(text)))
        .satisfies(e -> assertThat(e.info().address()).isEqualTo(C));
    byte[] written = new byte[10];
    cpu.read(C - 10, MemorySegment.ofArray(written));
    assertThat(new String(written, StandardCharsets.UTF_8)).isEqualTo("across the");
  }

  @Test
  void aCopyThatJavaRefusesDoesNotHoldUpFlushes() {
    map(A, true);
    MemorySegment tooEarlyClosed;
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      tooEarlyClosed = arena.allocate(8);
    }
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> cpu.write(A, tooEarlyClosed));
    Thread.ofPlatform().start(() -> tables.flush(A, B));
    assertThat(cpu.getByte(A)).isZero();
  }

  @Test
  void compareAndSetChangesWhatWasExpected() {
    map(A, true);
    assertThat(cpu.compareAndSetInt(A + 4, 0, 5)).isTrue();
    assertThat(cpu.compareAndSetInt(A + 4, 0, 6)).isFalse();
    assertThat(cpu.getInt(A + 4)).isEqualTo(5);
    assertThat(cpu.compareAndSetLong(A + 8, 0, -5)).isTrue();
    assertThat(cpu.compareAndSetLong(A + 8, 0, 6)).isFalse();
    assertThat(cpu.getLong(A + 8)).isEqualTo(-5);
    assertThatIllegalArgumentException().isThrownBy(() -> cpu.compareAndSetInt(A + 2, 0, 1))
        .withMessageContaining("multiple of 4");
    assertThatIllegalArgumentException().isThrownBy(() -> cpu.compareAndSetLong(A + 4, 0, 1))
        .withMessageContaining("multiple of 8");
  }

  @Test
  void aTouchToWriteLeavesTheByteAsItWas() {
    map(A, true);
    cpu.putInt(A + 4, 0x01020304);
    tables.visit(A, B, (address, entry) -> entry & ~Pte.DIRTY);
    tables.flush(A, B);
    cpu.touch(A + 6, Access.WRITE);
    assertThat(cpu.getInt(A + 4)).isEqualTo(0x01020304);
    assertThat(Pte.isDirty(tables.get(A))).isTrue();
  }

  @Test
  void aProcessorMayBeHandedToAnotherThread() throws InterruptedException {
    map(A, true);
    cpu.putInt(A, 1);
    Thread other = Thread.ofPlatform().start(() -> cpu.putInt(A, cpu.getInt(A) + 1));
    other.join();
    assertThat(cpu.getInt(A)).isEqualTo(2);
    cpu.putInt(A, 3);
    assertThat(cpu.getInt(A)).isEqualTo(3);
  }

  @Test
  void neitherHitsNorMissesAllocate() {
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    long conflicting = A + 256 * 4096;
    map(A, true);
    map(conflicting, true);
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 20_000; i++) {
        cpu.putLong(A + 8, cpu.getLong(A) + cpu.getByte(conflicting));
        cpu.putInt(conflicting, cpu.getShort(A + 2));
        cpu.compareAndSetInt(A, i, i + 1);
        cpu.touch(A, Access.WRITE);
        cpu.putLong(A + 4096 - 8, i);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).as("bytes for 140,000 accesses").isLessThan(2_000);
  }

  @Test
  void aProcessorThatIsUsedAfterItsMemoryIsGoneReadsZeros() {
    PhysicalMemory gone = new PhysicalMemory(1 << 20);
    PageTables old = new PageTables(gone);
    old.set(A, Pte.of(gone.allocate(FrameUse.ANONYMOUS), Pte.protection(true, true, false, 0), 0));
    Cpu late = new Cpu(old, this::refuse);
    late.putLong(A, 1);
    gone.close();
    assertThat(late.getLong(A)).isZero();
  }
}
