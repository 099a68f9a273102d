// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapfile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What each slot holds, as far as it must be known to tell when the file has given back something
 * else: a torn or lost write, or somebody who writes to the file. Nothing is asked twice at once about
 * one slot, so that its word needs no lock.
 */
final class Checksums {
  private static final int EMPTY = 0;
  private static final int CHUNK_SHIFT = 12;
  private static final int CHUNK = 1 << CHUNK_SHIFT;

  private final long slots;
  /** Made when first written to: a big file that is hardly used costs little. */
  private final AtomicReferenceArray<int @Nullable []> chunks;

  Checksums(long slots) {
    this.slots = slots;
    this.chunks = new AtomicReferenceArray<>(Math.toIntExact((slots - 1 >> CHUNK_SHIFT) + 1));
  }

  /** The slots hold these pages. */
  void put(long[] at, MemorySegment[] pages) {
    for (int i = 0; i < at.length; i++) {
      int chunk = (int) (at[i] >> CHUNK_SHIFT);
      int[] sums = chunks.get(chunk);
      if (sums == null) {
        chunks.compareAndSet(chunk, null, new int[CHUNK]);
        sums = chunks.get(chunk);
      }
      sums[(int) at[i] & CHUNK - 1] = sum(pages[i]);
    }
  }

  /** The slots hold nothing. */
  void free(long... at) {
    for (long slot : at) {
      int[] sums = chunk(slot);
      if (sums != null) {
        sums[(int) slot & CHUNK - 1] = EMPTY;
      }
    }
  }

  /**
   * @throws IOException when one of them holds nothing
   */
  void requireAll(long... at) throws IOException {
    for (long slot : at) {
      if (get(slot) == EMPTY) {
        throw new IOException("slot " + slot + " holds nothing");
      }
    }
  }

  /**
   * @throws IOException when the page is not what was put into the slot
   */
  void verify(long slot, MemorySegment page) throws IOException {
    if (get(slot) != sum(page)) {
      throw new IOException("slot " + slot + " does not hold what was written to it");
    }
  }

  private int get(long slot) {
    int[] sums = chunk(slot);
    return sums == null ? EMPTY : sums[(int) slot & CHUNK - 1];
  }

  private int @Nullable [] chunk(long slot) {
    return chunks.get((int) (slot(slot) >> CHUNK_SHIFT));
  }

  private long slot(long slot) {
    if (slot < 0 || slot >= slots) {
      throw new IndexOutOfBoundsException("slot " + slot + " of " + slots);
    }
    return slot;
  }

  private static int sum(MemorySegment page) {
    CRC32C crc = new CRC32C();
    crc.update(page.asByteBuffer());
    return crc.getValue() == EMPTY ? 1 : (int) crc.getValue();
  }
}
