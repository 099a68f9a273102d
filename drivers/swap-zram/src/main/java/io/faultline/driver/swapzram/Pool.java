// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Memory for objects of 1 to 4096 bytes, as {@code zsmalloc}: chunks of 64 KiB, each divided into
 * places of one size, a multiple of 64 bytes. A chunk that has become empty serves any size, or goes
 * back to the host when there are many such.
 *
 * <p>Off the Java heap, because it is as big as it is long-lived: a garbage collector would copy it
 * again and again to find nothing.
 *
 * <p>Not thread-safe, save that a segment may be read and written while others are allocated and
 * freed.
 */
final class Pool {
  static final int CHUNK = 64 << 10;

  private static final int STEP = 64;
  private static final int MAX = 4096;
  /** Empty chunks that are kept. */
  private static final int SPARE = 64;

  private final long limit;
  private final List<@Nullable Chunk> chunks = new ArrayList<>();
  private final ArrayDeque<Integer> unusedNumbers = new ArrayDeque<>();
  private final ArrayDeque<Memory> spare = new ArrayDeque<>();
  /** By size in steps: chunks with a free place; the first one is filled. */
  private final List<ArrayDeque<Chunk>> open = new ArrayList<>();
  private long used;
  private long most;

  /**
   * @param limit bytes; rounded down to chunks
   */
  Pool(long limit) {
    this.limit = limit;
    for (int size = 0; size <= MAX; size += STEP) {
      open.add(new ArrayDeque<>());
    }
  }

  /** Bytes in chunks that hold something. */
  long used() {
    return used;
  }

  /** The most that {@link #used} has been. */
  long most() {
    return most;
  }

  /**
   * A place.
   *
   * @param length bytes, 1 to 4096
   * @return its address, for {@link #at} and {@link #free}
   * @throws IOException when the limit is reached, or the host has no memory
   */
  long allocate(int length) throws IOException {
    ArrayDeque<Chunk> candidates = open.get(steps(length));
    Chunk chunk = candidates.peekFirst();
    if (chunk == null) {
      chunk = chunk(steps(length) * STEP);
      candidates.addFirst(chunk);
    }
    int place = chunk.take();
    if (chunk.isFull()) {
      candidates.removeFirst();
    }
    return (long) chunk.number * CHUNK + (long) place * chunk.size;
  }

  /** The memory of an object. */
  MemorySegment at(long address, int length) {
    return chunkOf(address).memory.segment.asSlice(address % CHUNK, length);
  }

  /** Gives a place back. */
  void free(long address) {
    Chunk chunk = chunkOf(address);
    ArrayDeque<Chunk> candidates = open.get(chunk.size / STEP);
    if (chunk.isFull()) {
      candidates.addLast(chunk);
    }
    chunk.give((int) (address % CHUNK) / chunk.size);
    if (chunk.isEmpty()) {
      candidates.remove(chunk);
      chunks.set(chunk.number, null);
      unusedNumbers.push(chunk.number);
      used -= CHUNK;
      if (spare.size() < SPARE) {
        spare.push(chunk.memory);
      } else {
        chunk.memory.close();
      }
    }
  }

  /** Gives all memory back. */
  void close() {
    for (Chunk chunk : chunks) {
      if (chunk != null) {
        chunk.memory.close();
      }
    }
    spare.forEach(Memory::close);
    chunks.clear();
    spare.clear();
  }

  private static int steps(int length) {
    return (length + STEP - 1) / STEP;
  }

  private Chunk chunkOf(long address) {
    Chunk chunk = chunks.get((int) (address / CHUNK));
    if (chunk == null) {
      throw new IllegalStateException("address: nothing is at " + address);
    }
    return chunk;
  }

  private Chunk chunk(int size) throws IOException {
    if (used + CHUNK > limit) {
      throw new IOException("memory.limit.bytes is reached: " + used + " bytes are in use");
    }
    Memory memory = spare.isEmpty() ? Memory.allocate() : spare.pop();
    Integer number = unusedNumbers.poll();
    if (number == null) {
      number = chunks.size();
      chunks.add(null);
    }
    Chunk chunk = new Chunk(number, size, memory);
    chunks.set(number, chunk);
    used += CHUNK;
    most = Math.max(most, used);
    return chunk;
  }

  /** What a chunk is made of. */
  private record Memory(Arena arena, MemorySegment segment) {
    static Memory allocate() throws IOException {
      Arena arena = Arena.ofShared();
      try {
        return new Memory(arena, arena.allocate(CHUNK, STEP));
      } catch (OutOfMemoryError e) {
        arena.close();
        throw new IOException("the host has no memory for another 64 KiB", e);
      }
    }

    void close() {
      arena.close();
    }
  }

  /** A chunk in use, and which of its places are free: a stack. */
  private static final class Chunk {
    final int number;
    final int size;
    final Memory memory;
    private final short[] free;
    private int count;

    Chunk(int number, int size, Memory memory) {
      this.number = number;
      this.size = size;
      this.memory = memory;
      free = new short[CHUNK / size];
      for (int i = 0; i < free.length; i++) {
        free[i] = (short) (free.length - 1 - i);
      }
      count = free.length;
    }

    int take() {
      return free[--count];
    }

    void give(int place) {
      free[count++] = (short) place;
    }

    boolean isFull() {
      return count == 0;
    }

    boolean isEmpty() {
      return count == free.length;
    }
  }
}
