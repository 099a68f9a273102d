// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What each slot holds: the number of the write that brought it (upper half), by which its field on
 * the server is found, and the page's checksum (lower half). Nothing is asked twice at once about one
 * slot, so that its word needs no lock.
 */
final class Tags {
  static final long EMPTY = 0;

  private static final int CHUNK_SHIFT = 12;
  private static final int CHUNK = 1 << CHUNK_SHIFT;

  private final long slots;
  /** Made when first written to. */
  private final AtomicReferenceArray<long @Nullable []> chunks;

  Tags(long slots) {
    this.slots = slots;
    this.chunks = new AtomicReferenceArray<>(Math.toIntExact((slots - 1 >> CHUNK_SHIFT) + 1));
  }

  /** A tag, of a write whose number is not 0. */
  static long tag(int write, MemorySegment page) {
    return (long) write << 32 | sum(page);
  }

  /** The number of the write. */
  static int write(long tag) {
    return (int) (tag >>> 32);
  }

  /** Whether that page is the one. */
  static boolean is(long tag, MemorySegment page) {
    return (tag & 0xFFFFFFFFL) == sum(page);
  }

  private static long sum(MemorySegment page) {
    CRC32C crc = new CRC32C();
    crc.update(page.asByteBuffer());
    return crc.getValue();
  }

  /** The slot's tag, or EMPTY. */
  long get(long slot) {
    long[] tags = chunks.get(chunk(slot));
    return tags == null ? EMPTY : tags[(int) slot & CHUNK - 1];
  }

  /** Sets the slot's tag and returns the one before. */
  long set(long slot, long tag) {
    int chunk = chunk(slot);
    long[] tags = chunks.get(chunk);
    if (tags == null) {
      if (tag == EMPTY) {
        return EMPTY;
      }
      chunks.compareAndSet(chunk, null, new long[CHUNK]);
      tags = chunks.get(chunk);
    }
    int index = (int) slot & CHUNK - 1;
    long before = tags[index];
    tags[index] = tag;
    return before;
  }

  private int chunk(long slot) {
    if (slot < 0 || slot >= slots) {
      throw new IndexOutOfBoundsException("slot " + slot + " of " + slots);
    }
    return (int) (slot >> CHUNK_SHIFT);
  }
}
