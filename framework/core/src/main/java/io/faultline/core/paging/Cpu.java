// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.core.memory.ArenaAccess;
import io.faultline.core.memory.IoAccess;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * One processor of a task: loads and stores through a software TLB; what that does not hold, through
 * the page tables; what these do not allow, through the {@link FaultHandler}. As on x86, a walk sets
 * ACCESSED, and DIRTY for a store.
 *
 * <p>For one thread at a time; handing it to another thread costs a TLB. A mapped access takes no
 * lock, allocates nothing, and never touches a frame after the flush that took it away. A store that
 * crosses pages is done when both are there, or not at all.
 *
 * <p>What the page tables map to a device's registers never enters the TLB: each access is a miss, and
 * its end is a call ({@link BusAccess}).
 */
public final class Cpu implements UserMemory {
  private static final int OFFSET = Mman.PAGE_SIZE - 1;
  private static final long PAGE = -Mman.PAGE_SIZE;
  /** No place on the bus: the page is memory. */
  static final long MEMORY = PhysicalMemory.NONE;

  private final PageTables tables;
  private final FaultHandler handler;
  private final BusAccess bus;
  private final MemorySegment arena;
  private final Tlb tlb = new Tlb();
  /** Of the TLB, one step nearer. */
  private final long[] entries = tlb.entries;

  /**
   * @param tables of the address space
   * @param handler called when they do not allow an access
   */
  public Cpu(PageTables tables, FaultHandler handler) {
    this.tables = tables;
    this.handler = handler;
    this.bus = new BusAccess(this, tables, handler);
    this.arena = tables.memory().arena();
    tables.register(tlb);
  }

  // Loads. A translation is looked up, used, and looked up again: if it still stands then it stood
  // during the load. A value that crosses pages never finds its page in the first one's slot.

  @Override
  public byte getByte(long address) {
    long[] slots = entries;
    int slot = Tlb.slot(address);
    long page = address & PAGE;
    if (slots[slot + Tlb.READ] == page) {
      byte value = ArenaAccess.getByte(arena, address + slots[slot + Tlb.DELTA]);
      VarHandle.acquireFence();
      Reference.reachabilityFence(this);
      if (slots[slot + Tlb.READ] == page) {
        return value;
      }
    }
    return (byte) loadSlowly(address, Byte.BYTES);
  }

  @Override
  public short getShort(long address) {
    long[] slots = entries;
    int slot = Tlb.slot(address);
    long page = address + (Short.BYTES - 1) & PAGE;
    if (slots[slot + Tlb.READ] == page) {
      short value = ArenaAccess.getShort(arena, address + slots[slot + Tlb.DELTA]);
      VarHandle.acquireFence();
      Reference.reachabilityFence(this);
      if (slots[slot + Tlb.READ] == page) {
        return value;
      }
    }
    return (short) loadSlowly(address, Short.BYTES);
  }

  @Override
  public int getInt(long address) {
    long[] slots = entries;
    int slot = Tlb.slot(address);
    long page = address + (Integer.BYTES - 1) & PAGE;
    if (slots[slot + Tlb.READ] == page) {
      int value = ArenaAccess.getInt(arena, address + slots[slot + Tlb.DELTA]);
      VarHandle.acquireFence();
      Reference.reachabilityFence(this);
      if (slots[slot + Tlb.READ] == page) {
        return value;
      }
    }
    return (int) loadSlowly(address, Integer.BYTES);
  }

  @Override
  public long getLong(long address) {
    long[] slots = entries;
    int slot = Tlb.slot(address);
    long page = address + (Long.BYTES - 1) & PAGE;
    if (slots[slot + Tlb.READ] == page) {
      long value = ArenaAccess.getLong(arena, address + slots[slot + Tlb.DELTA]);
      VarHandle.acquireFence();
      Reference.reachabilityFence(this);
      if (slots[slot + Tlb.READ] == page) {
        return value;
      }
    }
    return loadSlowly(address, Long.BYTES);
  }

  private long loadSlowly(long address, int size) {
    int here = (int) Math.min(size, Mman.PAGE_SIZE - (address & OFFSET));
    long value = loadWithin(address, here);
    if (here < size) {
      value |= loadWithin(address + here, size - here) << here * Byte.SIZE;
    }
    return value;
  }

  /** Loads 1 to 8 bytes of one page. */
  long loadWithin(long address, int size) {
    int slot = Tlb.slot(address);
    long page = address & PAGE;
    while (true) {
      long place = fill(address, Access.READ);
      if (place != MEMORY) {
        return bus.load(address, size, place);
      }
      long location = address + entries[slot + Tlb.DELTA];
      if (entries[slot + Tlb.READ] == page) {
        long value = switch (size) {
          case Byte.BYTES -> ArenaAccess.getByte(arena, location);
          case Short.BYTES -> ArenaAccess.getShort(arena, location);
          case Integer.BYTES -> ArenaAccess.getInt(arena, location);
          case Long.BYTES -> ArenaAccess.getLong(arena, location);
          default -> {
            long bytes = 0;
            for (int i = 0; i < size; i++) {
              bytes |= (ArenaAccess.getByte(arena, location + i) & 0xFFL) << i * Byte.SIZE;
            }
            yield bytes;
          }
        };
        VarHandle.acquireFence();
        Reference.reachabilityFence(this);
        if (entries[slot + Tlb.READ] == page) {
          return IoAccess.truncate(value, size);
        }
      }
    }
  }

  // Stores. They are announced before the translation is looked up, so that a flush can wait for
  // them.

  @Override
  public void putByte(long address, byte value) {
    Tlb tlb = this.tlb;
    if (tlb.isOwnedBy(Thread.currentThread())) {
      tlb.enter();
      long[] slots = entries;
      int slot = Tlb.slot(address);
      if (slots[slot + Tlb.WRITE] == (address & PAGE)) {
        ArenaAccess.putByte(arena, address + slots[slot + Tlb.DELTA], value);
        tlb.leave();
        Reference.reachabilityFence(this);
        return;
      }
      tlb.leave();
    }
    storeSlowly(address, value, Byte.BYTES);
  }

  @Override
  public void putShort(long address, short value) {
    Tlb tlb = this.tlb;
    if (tlb.isOwnedBy(Thread.currentThread())) {
      tlb.enter();
      long[] slots = entries;
      int slot = Tlb.slot(address);
      if (slots[slot + Tlb.WRITE] == (address + (Short.BYTES - 1) & PAGE)) {
        ArenaAccess.putShort(arena, address + slots[slot + Tlb.DELTA], value);
        tlb.leave();
        Reference.reachabilityFence(this);
        return;
      }
      tlb.leave();
    }
    storeSlowly(address, value, Short.BYTES);
  }

  @Override
  public void putInt(long address, int value) {
    Tlb tlb = this.tlb;
    if (tlb.isOwnedBy(Thread.currentThread())) {
      tlb.enter();
      long[] slots = entries;
      int slot = Tlb.slot(address);
      if (slots[slot + Tlb.WRITE] == (address + (Integer.BYTES - 1) & PAGE)) {
        ArenaAccess.putInt(arena, address + slots[slot + Tlb.DELTA], value);
        tlb.leave();
        Reference.reachabilityFence(this);
        return;
      }
      tlb.leave();
    }
    storeSlowly(address, value, Integer.BYTES);
  }

  @Override
  public void putLong(long address, long value) {
    Tlb tlb = this.tlb;
    if (tlb.isOwnedBy(Thread.currentThread())) {
      tlb.enter();
      long[] slots = entries;
      int slot = Tlb.slot(address);
      if (slots[slot + Tlb.WRITE] == (address + (Long.BYTES - 1) & PAGE)) {
        ArenaAccess.putLong(arena, address + slots[slot + Tlb.DELTA], value);
        tlb.leave();
        Reference.reachabilityFence(this);
        return;
      }
      tlb.leave();
    }
    storeSlowly(address, value, Long.BYTES);
  }

  void storeSlowly(long address, long value, int size) {
    int here = (int) Math.min(size, Mman.PAGE_SIZE - (address & OFFSET));
    while (true) {
      long place = fill(address, Access.WRITE);
      if (here < size) {
        long second = fill(address + here, Access.WRITE);
        if (place != MEMORY || second != MEMORY) {
          // One of them is a device's: two stores, as on a bus.
          storeSlowly(address, value, here);
          storeSlowly(address + here, value >>> here * Byte.SIZE, size - here);
          return;
        }
      } else if (place != MEMORY) {
        bus.store(address, value, size, place);
        return;
      }
      tlb.enter();
      try {
        if (holds(address, Tlb.WRITE) && (here == size || holds(address + here, Tlb.WRITE))) {
          storeWithin(address, value, here);
          if (here < size) {
            storeWithin(address + here, value >>> here * Byte.SIZE, size - here);
          }
          return;
        }
      } finally {
        tlb.leave();
        Reference.reachabilityFence(this);
      }
    }
  }

  /** Stores 1 to 8 bytes to one page that the TLB holds. */
  private void storeWithin(long address, long value, int size) {
    long location = location(address);
    switch (size) {
      case Byte.BYTES -> ArenaAccess.putByte(arena, location, (byte) value);
      case Short.BYTES -> ArenaAccess.putShort(arena, location, (short) value);
      case Integer.BYTES -> ArenaAccess.putInt(arena, location, (int) value);
      case Long.BYTES -> ArenaAccess.putLong(arena, location, value);
      default -> {
        for (int i = 0; i < size; i++) {
          ArenaAccess.putByte(arena, location + i, (byte) (value >>> i * Byte.SIZE));
        }
      }
    }
  }

  // The rest is announced too, loads of many bytes among them: an unfinished copy that turned out to
  // be wrong would already stand in the caller's memory.

  @Override
  public void read(long address, MemorySegment target) {
    long size = target.byteSize();
    long done = 0;
    while (done < size) {
      long from = address + done;
      long bytes = Math.min(size - done, Mman.PAGE_SIZE - (from & OFFSET));
      long place = enter(from, Access.READ, Tlb.READ);
      if (place != MEMORY) {
        done += bus.copyOut(from, place, target, done, bytes);
        continue;
      }
      try {
        ArenaAccess.copyOut(arena, location(from), target, done, bytes);
        VarHandle.acquireFence();
      } finally {
        leave();
      }
      done += bytes;
    }
  }

  @Override
  public void write(long address, MemorySegment source) {
    long size = source.byteSize();
    long done = 0;
    while (done < size) {
      long to = address + done;
      long bytes = Math.min(size - done, Mman.PAGE_SIZE - (to & OFFSET));
      long place = enter(to, Access.WRITE, Tlb.WRITE);
      if (place != MEMORY) {
        done += bus.copyIn(source, done, to, place, bytes);
        continue;
      }
      try {
        ArenaAccess.copyIn(source, done, arena, location(to), bytes);
      } finally {
        leave();
      }
      done += bytes;
    }
  }

  @Override
  public boolean compareAndSetInt(long address, int expected, int value) {
    checkAligned(address, Integer.BYTES);
    long place = enter(address, Access.WRITE, Tlb.WRITE);
    if (place != MEMORY) {
      return bus.exchange(address, expected & 0xFFFF_FFFFL, value, Integer.BYTES, place);
    }
    try {
      return ArenaAccess.compareAndSetInt(arena, location(address), expected, value);
    } finally {
      leave();
    }
  }

  @Override
  public boolean compareAndSetLong(long address, long expected, long value) {
    checkAligned(address, Long.BYTES);
    long place = enter(address, Access.WRITE, Tlb.WRITE);
    if (place != MEMORY) {
      return bus.exchange(address, expected, value, Long.BYTES, place);
    }
    try {
      return ArenaAccess.compareAndSetLong(arena, location(address), expected, value);
    } finally {
      leave();
    }
  }

  private static void checkAligned(long address, int size) {
    if ((address & size - 1) != 0) {
      throw new IllegalArgumentException(
          "address = 0x" + Long.toHexString(address) + ": give a multiple of " + size);
    }
  }

  @Override
  public void touch(long address, Access access) {
    int kind = switch (access) {
      case READ -> Tlb.READ;
      case WRITE -> Tlb.WRITE;
      case EXECUTE -> Tlb.EXECUTE;
    };
    if (enter(address, access, kind) != MEMORY) {
      // The translation is there; a register that nobody asked for is left alone.
      return;
    }
    if (access == Access.WRITE) {
      ArenaAccess.rewrite(arena, location(address));
    }
    leave();
  }

  /**
   * Announces an access to one page and makes sure of its translation.
   *
   * @return {@link #MEMORY}; or the place on the bus, and then nothing is announced
   */
  private long enter(long address, Access access, int kind) {
    while (true) {
      if (tlb.isOwnedBy(Thread.currentThread())) {
        tlb.enter();
        if (holds(address, kind)) {
          return MEMORY;
        }
        tlb.leave();
      }
      long place = fill(address, access);
      if (place != MEMORY) {
        return place;
      }
    }
  }

  private void leave() {
    tlb.leave();
    Reference.reachabilityFence(this);
  }

  private boolean holds(long address, int kind) {
    return entries[Tlb.slot(address) + kind] == (address & PAGE);
  }

  private long location(long address) {
    return address + entries[Tlb.slot(address) + Tlb.DELTA];
  }

  /**
   * The miss: walks the page tables, calls the fault handler until they allow the access, and
   * remembers the translation. It may be gone again on return.
   *
   * @return {@link #MEMORY}; or the place on the bus, which is not remembered
   */
  long fill(long address, Access access) {
    if (!tlb.isOwnedBy(Thread.currentThread())) {
      tlb.bind(Thread.currentThread());
    }
    int index = PageTables.pteIndex(address);
    while (true) {
      long generation = tables.generation();
      LeafTable leaf = tables.leaf(address);
      long entry = leaf == null ? 0 : leaf.get(index);
      if (leaf == null || !Rights.allows(entry, access, tables.pkru())) {
        handler.fault(address, access);
        continue;
      }
      long marked = entry | Pte.ACCESSED | (access == Access.WRITE ? Pte.WRITTEN : 0);
      if (marked != entry && !leaf.replace(index, entry, marked)) {
        continue;
      }
      long frame = Pte.frame(marked);
      if (tables.memory().isIo(frame)) {
        return (frame << Mman.PAGE_SHIFT) + (address & OFFSET);
      }
      int pkru = tables.pkru();
      long page = address & PAGE;
      tlb.fill(page, Rights.allows(marked, Access.READ, pkru),
          // The first store to a clean page has to come by here and mark it.
          Pte.isWritten(marked) && Rights.allows(marked, Access.WRITE, pkru),
          Rights.allows(marked, Access.EXECUTE, pkru),
          ArenaAccess.location(tables.memory(), frame) - page);
      if (tables.generation() == generation) {
        return MEMORY;
      }
      // A flush came between and may have missed what was just written.
      tlb.empty(Tlb.slot(address));
    }
  }
}
