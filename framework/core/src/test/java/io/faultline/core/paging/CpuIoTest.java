// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.IoBus;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a processor does where no memory is, but a device: each access arrives, once, and aligned. */
class CpuIoTest {
  private static final long A = 0x7f00_0000_0000L;
  private static final long B = A + 4096;
  private static final long FRAME = 0x40000;
  private static final long PLACE = FRAME << 12;

  private final PhysicalMemory memory = new PhysicalMemory(8 << 20);
  private final PageTables tables = new PageTables(memory);
  private final Cpu cpu = new Cpu(tables, CpuIoTest::refuse);
  private final Device device = new Device();

  /** Answers a load with the low bytes of its own place, upside down. */
  private static final class Device implements IoBus {
    final List<String> seen = new ArrayList<>();
    int absences;
    boolean broken;
    boolean comesBack = true;

    @Override
    public long load(long place, int size) throws BusException {
      answer();
      seen.add("r" + size + " " + Long.toHexString(place - PLACE));
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= (place + i & 0xFF) << 8 * i;
      }
      return value;
    }

    @Override
    public void store(long place, int size, long value) throws BusException {
      answer();
      seen.add(
          "w" + size + " " + Long.toHexString(place - PLACE) + "="
              + Long.toHexString(size == 8 ? value : value & (1L << 8 * size) - 1));
    }

    @Override
    public long exchange(long place, int size, long expected, long value) throws BusException {
      seen.add("locked");
      long found = load(place, size);
      store(place, size, found == expected ? value : found);
      return found;
    }

    private void answer() throws BusException {
      if (broken) {
        throw new BusException("on fire", false);
      }
      if (absences > 0) {
        absences--;
        throw new BusException("not there", true);
      }
    }

    @Override
    public boolean await(long place) {
      return comesBack;
    }

    List<String> take() {
      List<String> taken = List.copyOf(seen);
      seen.clear();
      return taken;
    }
  }

  private static void refuse(long address, Access access) {
    throw new SignalException(new Siginfo(SignalCode.SEGV_ACCERR, address, "not allowed"));
  }

  @BeforeEach
  void plug() {
    memory.setBus(device);
  }

  @AfterEach
  void close() {
    memory.validate();
    memory.close();
  }

  private void mapRegisters(long address, boolean write) {
    tables.set(address, Pte.of(FRAME, Pte.protection(true, write, false, 0), Pte.SPECIAL));
  }

  private void mapMemory(long address) {
    long frame = memory.allocate(FrameUse.ANONYMOUS);
    tables.set(address, Pte.of(frame, Pte.protection(true, true, false, 0), Pte.ANON));
  }

  @Test
  void eachLoadArrivesAgain() {
    mapRegisters(A, true);
    assertThat(cpu.getInt(A + 8)).isEqualTo(0x0b0a0908);
    assertThat(cpu.getInt(A + 8)).isEqualTo(0x0b0a0908);
    assertThat(cpu.getLong(A + 16)).isEqualTo(0x1716151413121110L);
    assertThat(cpu.getShort(A + 2)).isEqualTo((short) 0x0302);
    assertThat(cpu.getByte(A + 3)).isEqualTo((byte) 3);
    assertThat(device.seen).containsExactly("r4 8", "r4 8", "r8 10", "r2 2", "r1 3");
  }

  @Test
  void eachStoreArrivesOnce() {
    mapRegisters(A, true);
    cpu.putByte(A + 1, (byte) -1);
    cpu.putShort(A + 2, (short) -2);
    cpu.putInt(A + 4, -3);
    cpu.putInt(A + 4, -3);
    cpu.putLong(A + 8, -4);
    assertThat(device.seen)
        .containsExactly("w1 1=ff", "w2 2=fffe", "w4 4=fffffffd", "w4 4=fffffffd",
            "w8 8=fffffffffffffffc");
  }

  @Test
  void theDeviceIsAskedThoughMemoryStoodThereBefore() {
    mapMemory(A);
    cpu.putInt(A, 5);
    tables.set(A, Pte.NONE);
    tables.flush(A, B);
    mapRegisters(A, true);
    cpu.putInt(A, 6);
    assertThat(device.take()).containsExactly("w4 0=6");
    tables.set(A, Pte.NONE);
    tables.flush(A, B);
    mapMemory(A);
    cpu.putInt(A, 7);
    assertThat(cpu.getInt(A)).isEqualTo(7);
    assertThat(device.seen).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, r8 0", "4, r4 4;r4 8", "2, r2 2;r4 4;r2 8", "1, r1 1;r2 2;r4 4;r1 8",
    "6, r2 6;r4 8;r2 c"
  })
  void whatIsNotAlignedIsSplitInAscendingOrder(int offset, String accesses) {
    mapRegisters(A, true);
    long expected = 0x0706050403020100L + 0x0101010101010101L * offset;
    assertThat(cpu.getLong(A + offset)).isEqualTo(expected);
    assertThat(device.take()).containsExactly(accesses.split(";"));
    cpu.putLong(A + offset, expected);
    assertThat(device.seen.stream().map(w -> w.replace('w', 'r').replaceAll("=.*", "")))
        .containsExactly(accesses.split(";"));
  }

  @Test
  void aValueAcrossMemoryAndRegistersIsTwoAccesses() {
    mapMemory(A);
    mapRegisters(B, true);
    cpu.putInt(B - 4, 0x44332211);
    assertThat(cpu.getLong(B - 4)).isEqualTo(0x0302010044332211L);
    assertThat(device.take()).containsExactly("r4 0");
    cpu.putLong(B - 3, 0x8877665544332211L);
    assertThat(device.take()).containsExactly("w4 0=77665544", "w1 4=88");
    assertThat(cpu.getByte(B - 1)).isEqualTo((byte) 0x33);
  }

  @Test
  void aStoreAcrossPagesOfWhichOneIsForbiddenReachesNoDevice() {
    mapRegisters(A, true);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putLong(B - 4, 1));
    assertThat(device.seen).isEmpty();
  }

  @Test
  void copiesOfManyBytesGoInFoursLikeMemcpyFromio() {
    mapRegisters(A, true);
    byte[] bytes = new byte[13];
    cpu.read(A + 3, MemorySegment.ofArray(bytes));
    assertThat(bytes).containsExactly(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    assertThat(device.take()).containsExactly("r1 3", "r4 4", "r4 8", "r4 c");
    cpu.write(A + 2, MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}));
    assertThat(device.seen).containsExactly("w2 2=201", "w4 4=6050403", "w2 8=807", "w1 a=9");
  }

  @Test
  void aCopyAcrossMemoryAndRegistersIsWhole() {
    mapMemory(A);
    mapRegisters(B, true);
    cpu.putInt(B - 4, 0x04030201);
    byte[] bytes = new byte[8];
    cpu.read(B - 4, MemorySegment.ofArray(bytes));
    assertThat(bytes).containsExactly(1, 2, 3, 4, 0, 1, 2, 3);
  }

  @Test
  void compareAndSetIsAReadAndAWriteWhateverItFinds() {
    mapRegisters(A, true);
    assertThat(cpu.compareAndSetInt(A + 4, 0x07060504, -1)).isTrue();
    assertThat(device.take()).containsExactly("locked", "r4 4", "w4 4=ffffffff");
    assertThat(cpu.compareAndSetLong(A + 8, 5, 6)).isFalse();
    assertThat(device.take()).containsExactly("locked", "r8 8", "w8 8=f0e0d0c0b0a0908");
  }

  @Test
  void compareAndSetIsTriedAgainWhereADeviceComesBack() {
    mapRegisters(A, true);
    device.absences = 2;
    assertThat(cpu.compareAndSetInt(A + 4, 0x07060504, -1)).isTrue();
    assertThat(device.take())
        .containsExactly("locked", "locked", "locked", "r4 4", "w4 4=ffffffff");
  }

  @Test
  void aTouchLeavesTheDeviceAlone() {
    mapRegisters(A, true);
    cpu.touch(A, Access.READ);
    assertThat(Pte.isDirty(tables.get(A))).isFalse();
    cpu.touch(A, Access.WRITE);
    assertThat(Pte.isDirty(tables.get(A))).isTrue();
    assertThat(device.seen).isEmpty();
  }

  @Test
  void theEntryIsMarkedAsForMemory() {
    mapRegisters(A, true);
    assertThat(cpu.getInt(A)).isNotZero();
    assertThat(Pte.isAccessed(tables.get(A))).isTrue();
    assertThat(Pte.isDirty(tables.get(A))).isFalse();
    cpu.putInt(A, 1);
    assertThat(Pte.isDirty(tables.get(A))).isTrue();
  }

  @Test
  void rightsAreAskedFirst() {
    mapRegisters(A, false);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putInt(A, 1))
        .satisfies(e -> assertThat(e.info().code()).isEqualTo(SignalCode.SEGV_ACCERR));
    tables.set(
        B, Pte.of(FRAME, Pte.protection(true, true, false, 3), Pte.SPECIAL));
    tables.setPkru(1 << 6);
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getInt(B));
    assertThat(device.seen).isEmpty();
  }

  @Test
  void aDeviceThatFailsIsSigbus() {
    mapRegisters(A, true);
    device.broken = true;
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.getInt(A + 12))
        .satisfies(e -> {
          assertThat(e.info().code()).isEqualTo(SignalCode.BUS_ADRERR);
          assertThat(e.info().address()).isEqualTo(A + 12);
          assertThat(e.info().cause()).isEqualTo("on fire");
        });
  }

  @Test
  void anAbsentDeviceIsTriedAgainIfItComesBack() {
    mapRegisters(A, true);
    device.absences = 3;
    cpu.putInt(A, 9);
    assertThat(device.take()).containsExactly("w4 0=9");
    device.absences = 1;
    device.comesBack = false;
    assertThatExceptionOfType(SignalException.class).isThrownBy(() -> cpu.putInt(A, 9))
        .satisfies(e -> assertThat(e.info().cause()).isEqualTo("not there"));
  }
}
