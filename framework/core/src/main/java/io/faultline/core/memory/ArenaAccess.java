// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Loads and stores in physical memory at <em>locations</em>, little-endian: the hot end of a
 * processor's access.
 *
 * <p>Where native access is allowed a location is an address of the host, reached through one constant
 * segment that spans everything: no bounds, no scope and no class to check, and nothing to load anew
 * after a fence. It is as safe as the caller: a location must come from {@link
 * #location(PhysicalMemory, long)} with less than a page added, and the caller must keep the memory
 * reachable until after the access. Elsewhere a location is an offset in the arena and checked.
 */
public final class ArenaAccess {
  private static final boolean EVERYWHERE_ALLOWED = HostMemory.AVAILABLE;
  private static final MemorySegment EVERYWHERE =
      EVERYWHERE_ALLOWED ? MemorySegment.NULL.reinterpret(Long.MAX_VALUE) : MemorySegment.NULL;

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle ATOMIC_INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle ATOMIC_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private ArenaAccess() {}

  /** Where a frame's first byte is. */
  public static long location(PhysicalMemory memory, long frame) {
    return (EVERYWHERE_ALLOWED ? memory.arena().address() : 0) + (frame << 12);
  }

  /** One byte; {@code arena} is the one that the location belongs to, here and below. */
  public static byte getByte(MemorySegment arena, long location) {
    return where(arena).get(BYTE, location);
  }

  /** Two bytes, anywhere. */
  public static short getShort(MemorySegment arena, long location) {
    return where(arena).get(SHORT, location);
  }

  /** Four bytes, anywhere. */
  public static int getInt(MemorySegment arena, long location) {
    return where(arena).get(INT, location);
  }

  /** Eight bytes, anywhere. */
  public static long getLong(MemorySegment arena, long location) {
    return where(arena).get(LONG, location);
  }

  /** Stores one byte. */
  public static void putByte(MemorySegment arena, long location, byte value) {
    where(arena).set(BYTE, location, value);
  }

  /** Stores two bytes, anywhere. */
  public static void putShort(MemorySegment arena, long location, short value) {
    where(arena).set(SHORT, location, value);
  }

  /** Stores four bytes, anywhere. */
  public static void putInt(MemorySegment arena, long location, int value) {
    where(arena).set(INT, location, value);
  }

  /** Stores eight bytes, anywhere. */
  public static void putLong(MemorySegment arena, long location, long value) {
    where(arena).set(LONG, location, value);
  }

  /** {@code lock cmpxchg} at a location that is a multiple of four. */
  public static boolean compareAndSetInt(MemorySegment arena, long location, int expected,
      int value) {
    return ATOMIC_INT.compareAndSet(where(arena), location, expected, value);
  }

  /** {@code lock cmpxchg} at a location that is a multiple of eight. */
  public static boolean compareAndSetLong(MemorySegment arena, long location, long expected,
      long value) {
    return ATOMIC_LONG.compareAndSet(where(arena), location, expected, value);
  }

  /** Writes the byte with its own value, atomically with the three beside it. */
  public static void rewrite(MemorySegment arena, long location) {
    int ignored = (int) ATOMIC_INT.getAndBitwiseOr(where(arena), location & ~3L, 0);
  }

  /** Copies out of physical memory. */
  public static void copyOut(MemorySegment arena, long location, MemorySegment target, long offset,
      long bytes) {
    MemorySegment.copy(where(arena), location, target, offset, bytes);
  }

  /** Copies into physical memory. */
  public static void copyIn(MemorySegment source, long offset, MemorySegment arena, long location,
      long bytes) {
    MemorySegment.copy(source, offset, where(arena), location, bytes);
  }

  private static MemorySegment where(MemorySegment arena) {
    return EVERYWHERE_ALLOWED ? EVERYWHERE : arena;
  }
}
