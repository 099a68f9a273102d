// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.benchmarks;

import io.faultline.kernel.UserMemory;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * A ring's pages in the host's own memory: one page, then some more, then the same ones again, by the
 * host's {@code mmap(2)}; and loads and stores there through a {@link MemorySegment}, with the order of
 * {@link UserMemory} and nothing else. What a ring costs without Faultline. Linux only.
 */
final class TwiceMapped implements UserMemory, AutoCloseable {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final VarHandle ATOMIC_INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle ATOMIC_LONG = ValueLayout.JAVA_LONG.varHandle();

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle MEMFD = function("memfd_create",
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
  private static final MethodHandle FTRUNCATE = function("ftruncate",
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
  private static final MethodHandle MMAP = function("mmap",
      FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG));
  private static final MethodHandle MUNMAP = function("munmap",
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle CLOSE = function("close",
      FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private final long address;
  private final long length;

  /** @param size of what is mapped twice, a multiple of the page size */
  TwiceMapped(long size) {
    length = Mman.PAGE_SIZE + 2 * size;
    try (Arena arena = Arena.ofConfined()) {
      int fd = (int) MEMFD.invokeExact(arena.allocateFrom("ring"), 0);
      check((int) FTRUNCATE.invokeExact(fd, Mman.PAGE_SIZE + size));
      address = map(0, length, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, -1, 0);
      int fixed = Mman.MAP_SHARED | Mman.MAP_FIXED;
      map(address, Mman.PAGE_SIZE + size, fixed, fd, 0);
      map(address + Mman.PAGE_SIZE + size, size, fixed, fd, Mman.PAGE_SIZE);
      check((int) CLOSE.invokeExact(fd));
    } catch (Throwable e) {
      throw new IllegalStateException("the host maps nothing twice", e);
    }
  }

  private static MethodHandle function(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), type);
  }

  private static long map(long at, long length, int flags, int fd, long offset) throws Throwable {
    long mapped = (long) MMAP.invokeExact(
        at, length, Mman.PROT_READ | Mman.PROT_WRITE, flags, fd, offset);
    check((int) (mapped >>> 63));
    return mapped;
  }

  private static void check(int result) {
    if (result != 0) {
      throw new IllegalStateException("a call of the host failed");
    }
  }

  /** Where it is. */
  long address() {
    return address;
  }

  @Override
  public void close() {
    try {
      check((int) MUNMAP.invokeExact(address, length));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public byte getByte(long at) {
    byte value = ALL.get(BYTE, at);
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void putByte(long at, byte value) {
    VarHandle.releaseFence();
    ALL.set(BYTE, at, value);
  }

  @Override
  public short getShort(long at) {
    short value = ALL.get(SHORT, at);
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void putShort(long at, short value) {
    VarHandle.releaseFence();
    ALL.set(SHORT, at, value);
  }

  @Override
  public int getInt(long at) {
    int value = ALL.get(INT, at);
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void putInt(long at, int value) {
    VarHandle.releaseFence();
    ALL.set(INT, at, value);
  }

  @Override
  public long getLong(long at) {
    long value = ALL.get(LONG, at);
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void putLong(long at, long value) {
    VarHandle.releaseFence();
    ALL.set(LONG, at, value);
  }

  @Override
  public void read(long at, MemorySegment target) {
    MemorySegment.copy(ALL, at, target, 0, target.byteSize());
    VarHandle.acquireFence();
  }

  @Override
  public void write(long at, MemorySegment source) {
    VarHandle.releaseFence();
    MemorySegment.copy(source, 0, ALL, at, source.byteSize());
  }

  @Override
  public boolean compareAndSetInt(long at, int expected, int value) {
    return ATOMIC_INT.compareAndSet(ALL, at, expected, value);
  }

  @Override
  public boolean compareAndSetLong(long at, long expected, long value) {
    return ATOMIC_LONG.compareAndSet(ALL, at, expected, value);
  }

  @Override
  public void touch(long at, Access access) {
    byte unused = getByte(at);
  }
}
