// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * One processor of a task: loads and stores through the page tables. For one thread at a time.
 */
public final class Cpu implements UserMemory {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int OFFSET = Mman.PAGE_SIZE - 1;

  private final PageTables tables;
  private final FaultHandler handler;
  private final MemorySegment arena;

  /**
   * @param tables of the address space
   * @param handler called when they do not allow an access
   */
  public Cpu(PageTables tables, FaultHandler handler) {
    this.tables = tables;
    this.handler = handler;
    this.arena = tables.memory().arena();
  }

  /** The place in the arena of a byte, after faults as needed. */
  private long translate(long address, Access access) {
    while (true) {
      long entry = tables.get(address);
      boolean allowed = switch (access) {
        case READ ->
            Pte.isPresent(entry) && (tables.pkru() >>> 2 * Pte.protectionKey(entry) & 1) == 0;
        case WRITE ->
            Pte.isWritable(entry) && (tables.pkru() >>> 2 * Pte.protectionKey(entry) & 3) == 0;
        case EXECUTE -> Pte.isExecutable(entry);
      };
      if (!allowed) {
        handler.fault(address, access);
        continue;
      }
      long marked = entry | Pte.ACCESSED | (access == Access.WRITE ? Pte.DIRTY : 0);
      if (marked == entry || tables.compareAndSet(address, entry, marked)) {
        return (Pte.frame(entry) << Mman.PAGE_SHIFT) + (address & OFFSET);
      }
    }
  }

  private long load(long address, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (getByte(address + i) & 0xFFL) << 8 * i;
    }
    return value;
  }

  private void store(long address, long value, int size) {
    for (int i = 0; i < size; i++) {
      putByte(address + i, (byte) (value >>> 8 * i));
    }
  }

  private static boolean crosses(long address, int size) {
    return (address & OFFSET) > Mman.PAGE_SIZE - size;
  }

  @Override
  public byte getByte(long address) {
    return arena.get(ValueLayout.JAVA_BYTE, translate(address, Access.READ));
  }

  @Override
  public void putByte(long address, byte value) {
    arena.set(ValueLayout.JAVA_BYTE, translate(address, Access.WRITE), value);
  }

  @Override
  public short getShort(long address) {
    return crosses(address, 2) ? (short) load(address, 2)
        : arena.get(SHORT, translate(address, Access.READ));
  }

  @Override
  public void putShort(long address, short value) {
    if (crosses(address, 2)) {
      store(address, value, 2);
    } else {
      arena.set(SHORT, translate(address, Access.WRITE), value);
    }
  }

  @Override
  public int getInt(long address) {
    return crosses(address, 4) ? (int) load(address, 4)
        : arena.get(INT, translate(address, Access.READ));
  }

  @Override
  public void putInt(long address, int value) {
    if (crosses(address, 4)) {
      store(address, value, 4);
    } else {
      arena.set(INT, translate(address, Access.WRITE), value);
    }
  }

  @Override
  public long getLong(long address) {
    return crosses(address, 8) ? load(address, 8)
        : arena.get(LONG, translate(address, Access.READ));
  }

  @Override
  public void putLong(long address, long value) {
    if (crosses(address, 8)) {
      store(address, value, 8);
    } else {
      arena.set(LONG, translate(address, Access.WRITE), value);
    }
  }

  @Override
  public void read(long address, MemorySegment target) {
    long done = 0;
    while (done < target.byteSize()) {
      long from = address + done;
      long n = Math.min(target.byteSize() - done, Mman.PAGE_SIZE - (from & OFFSET));
      MemorySegment.copy(arena, translate(from, Access.READ), target, done, n);
      done += n;
    }
  }

  @Override
  public void write(long address, MemorySegment source) {
    long done = 0;
    while (done < source.byteSize()) {
      long to = address + done;
      long n = Math.min(source.byteSize() - done, Mman.PAGE_SIZE - (to & OFFSET));
      MemorySegment.copy(source, done, arena, translate(to, Access.WRITE), n);
      done += n;
    }
  }

  @Override
  public boolean compareAndSetInt(long address, int expected, int value) {
    checkAligned(address, 4);
    return ValueLayout.JAVA_INT.varHandle()
        .compareAndSet(arena, translate(address, Access.WRITE), expected, value);
  }

  @Override
  public boolean compareAndSetLong(long address, long expected, long value) {
    checkAligned(address, 8);
    return ValueLayout.JAVA_LONG.varHandle()
        .compareAndSet(arena, translate(address, Access.WRITE), expected, value);
  }

  private static void checkAligned(long address, int size) {
    if ((address & size - 1) != 0) {
      throw new IllegalArgumentException(
          "address = 0x" + Long.toHexString(address) + ": give a multiple of " + size);
    }
  }

  @Override
  public void touch(long address, Access access) {
    translate(address, access);
  }
}
