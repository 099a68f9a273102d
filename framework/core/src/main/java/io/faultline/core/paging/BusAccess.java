// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.IoAccess;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A processor's accesses to what is mapped, but is no memory: registers of a device, each access a call
 * over the bus. It begins where the page tables have allowed it and named a place on the bus.
 *
 * <p>Nothing is announced: a flush does not wait for a device, and an access that is under way when its
 * area is unmapped may reach the device afterwards, as a posted write may. Places on the bus are never
 * given to another device, so it reaches nobody else's.
 */
final class BusAccess {
  private final Cpu cpu;
  private final PageTables tables;
  private final FaultHandler handler;

  BusAccess(Cpu cpu, PageTables tables, FaultHandler handler) {
    this.cpu = cpu;
    this.tables = tables;
    this.handler = handler;
  }

  /** Loads 1 to 8 bytes, in one access where the address is a multiple of the size. */
  long load(long address, int size, long firstPlace) {
    int part = IoAccess.part(address, size, Long.BYTES);
    if (part < size) {
      return cpu.loadWithin(address, part)
          | cpu.loadWithin(address + part, size - part) << part * Byte.SIZE;
    }
    long place = firstPlace;
    while (place != Cpu.MEMORY) {
      try {
        return tables.memory().bus().load(place, size);
      } catch (BusException e) {
        failed(address, Access.READ, place, e);
        place = cpu.fill(address, Access.READ);
      }
    }
    return cpu.loadWithin(address, size);
  }

  /** Stores 1 to 8 bytes, in one access where the address is a multiple of the size. */
  void store(long address, long value, int size, long firstPlace) {
    int part = IoAccess.part(address, size, Long.BYTES);
    if (part < size) {
      cpu.storeSlowly(address, value, part);
      cpu.storeSlowly(address + part, value >>> part * Byte.SIZE, size - part);
      return;
    }
    long place = firstPlace;
    while (place != Cpu.MEMORY) {
      try {
        tables.memory().bus().store(place, size, value);
        return;
      } catch (BusException e) {
        failed(address, Access.WRITE, place, e);
        place = cpu.fill(address, Access.WRITE);
      }
    }
    cpu.storeSlowly(address, value, size);
  }

  /**
   * {@code lock cmpxchg}. The processor always writes, if only what it has read; no other access of the
   * region comes between.
   *
   * @param expected without bits beyond the size
   */
  boolean exchange(long address, long expected, long value, int size, long firstPlace) {
    long place = firstPlace;
    while (place != Cpu.MEMORY) {
      try {
        return tables.memory().bus().exchange(place, size, expected, value) == expected;
      } catch (BusException e) {
        failed(address, Access.WRITE, place, e);
        place = cpu.fill(address, Access.WRITE);
      }
    }
    return size == Integer.BYTES
        ? cpu.compareAndSetInt(address, (int) expected, (int) value)
        : cpu.compareAndSetLong(address, expected, value);
  }

  /**
   * The first access of a longer copy.
   *
   * @param left bytes, all in one page
   * @return how many were copied
   */
  int copyOut(long from, long place, MemorySegment target, long offset, long left) {
    int part = IoAccess.part(from, left, IoAccess.BULK);
    long value = load(from, part, place);
    for (int i = 0; i < part; i++) {
      target.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (value >>> i * Byte.SIZE));
    }
    return part;
  }

  /** As {@link #copyOut}, the other way. */
  int copyIn(MemorySegment source, long offset, long to, long place, long left) {
    int part = IoAccess.part(to, left, IoAccess.BULK);
    long value = 0;
    for (int i = 0; i < part; i++) {
      value |= (source.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFFL) << i * Byte.SIZE;
    }
    store(to, value, part, place);
    return part;
  }

  /** Returns when the access is to be tried again; a device that failed, or went, is a signal. */
  private void failed(long address, Access access, long place, BusException failure) {
    if (failure.isAbsent()) {
      long entry = tables.get(address);
      boolean moved =
          !Pte.hasFrame(entry) || Pte.frame(entry) != place >>> Mman.PAGE_SHIFT;
      if (moved || tables.memory().bus().await(place)) {
        return;
      }
    }
    handler.busError(address, access, String.valueOf(failure.getMessage()));
  }
}
