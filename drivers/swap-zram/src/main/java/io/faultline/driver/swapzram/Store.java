// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.jspecify.annotations.Nullable;

/**
 * The pages of a device that is active. A page that is one word over and over is kept as that word; one
 * that LZ4 does not bring below three quarters is kept as it is, for it would cost time each time it
 * is read and save little; the others are kept compressed.
 *
 * <p>The lock guards the table and the pool. Pages are compressed and decompressed outside of it: the
 * kernel never has two calls for one slot under way, so that nobody takes away what is being read.
 */
final class Store {
  private static final int PAGE = SwapZram.PAGE;
  private static final int HUGE = PAGE * 3 / 4;

  private static final int CHUNK_SHIFT = 12;
  private static final int CHUNK = 1 << CHUNK_SHIFT;

  private static final short EMPTY = 0;
  private static final short SAME = -1;

  // Java without Unsafe and without native code: what is broken throws, and never harms the JVM.
  private static final LZ4Factory LZ4 = LZ4Factory.safeInstance();

  private final long slots;
  private final long limit;
  private final Pool pool; // guarded by this
  private final @Nullable Entries[] entries; // guarded by this
  private long compressed; // guarded by this
  private long held; // guarded by this
  private long same; // guarded by this
  private long huge; // guarded by this
  private long hugeSince; // guarded by this

  /**
   * @param slots how many pages
   * @param limit bytes of memory; 0: none
   */
  Store(long slots, long limit) {
    this.slots = slots;
    this.limit = limit;
    this.pool = new Pool(limit == 0 ? Long.MAX_VALUE : limit);
    this.entries = new @Nullable Entries[Math.toIntExact((slots - 1 >> CHUNK_SHIFT) + 1)];
  }

  /**
   * Keeps all the pages or none.
   *
   * @throws IOException when there is no memory for them
   */
  void put(long[] at, MemorySegment[] pages) throws IOException {
    free(at);
    LZ4Compressor compressor = LZ4.fastCompressor();
    byte[] page = new byte[PAGE];
    byte[] packed = new byte[compressor.maxCompressedLength(PAGE)];
    try {
      for (int i = 0; i < at.length; i++) {
        if (isSame(pages[i])) {
          keepSame(at[i], pages[i].get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        } else {
          MemorySegment.copy(pages[i], ValueLayout.JAVA_BYTE, 0, page, 0, PAGE);
          int length = compressor.compress(page, 0, PAGE, packed, 0, packed.length);
          if (length < HUGE) {
            keep(at[i], packed, length);
          } else {
            keep(at[i], page, PAGE);
          }
        }
      }
    } catch (IOException | RuntimeException e) {
      free(at);
      throw e;
    }
  }

  /** Whether each word is the one before it. */
  private static boolean isSame(MemorySegment page) {
    return MemorySegment.mismatch(page, 8, PAGE, page, 0, PAGE - 8) == -1;
  }

  private synchronized void keepSame(long slot, long word) {
    Entries in = made(slot);
    int i = index(slot);
    in.value[i] = word;
    in.length[i] = SAME;
    held++;
    same++;
  }

  private synchronized void keep(long slot, byte[] bytes, int length) throws IOException {
    Entries in = made(slot);
    int i = index(slot);
    long address = pool.allocate(length);
    MemorySegment.copy(bytes, 0, pool.at(address, length), ValueLayout.JAVA_BYTE, 0, length);
    in.value[i] = address;
    in.length[i] = (short) length;
    held++;
    compressed += length;
    if (length == PAGE) {
      huge++;
      hugeSince++;
    }
  }

  /**
   * Brings the pages.
   *
   * @throws IOException when a slot holds nothing, or what it holds is broken
   */
  void get(long[] at, MemorySegment[] pages) throws IOException {
    byte[] packed = new byte[PAGE];
    byte[] page = new byte[PAGE];
    LZ4SafeDecompressor decompressor = LZ4.safeDecompressor();
    for (int i = 0; i < at.length; i++) {
      get(at[i], pages[i], decompressor, packed, page);
    }
  }

  private void get(
      long slot, MemorySegment into, LZ4SafeDecompressor decompressor, byte[] packed, byte[] page)
      throws IOException {
    MemorySegment kept;
    int length;
    synchronized (this) {
      Entries in = entries[chunk(slot)];
      length = in == null ? EMPTY : in.length[index(slot)];
      if (in == null || length == EMPTY) {
        throw new IOException("slot " + slot + " holds nothing");
      }
      long value = in.value[index(slot)];
      if (length == SAME) {
        fill(into, value);
        return;
      }
      kept = pool.at(value, length);
    }
    if (length == PAGE) {
      into.copyFrom(kept);
      return;
    }
    MemorySegment.copy(kept, ValueLayout.JAVA_BYTE, 0, packed, 0, length);
    try {
      int came = decompressor.decompress(packed, 0, length, page, 0, PAGE);
      if (came != PAGE) {
        throw new IOException("slot " + slot + " is broken: " + came + " bytes came out");
      }
    } catch (LZ4Exception e) {
      throw new IOException("slot " + slot + " is broken", e);
    }
    MemorySegment.copy(page, 0, into, ValueLayout.JAVA_BYTE, 0, PAGE);
  }

  private static void fill(MemorySegment page, long word) {
    if (word == 0) {
      page.fill((byte) 0);
      return;
    }
    page.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, word);
    for (int done = 8; done < PAGE; done *= 2) {
      MemorySegment.copy(page, 0, page, done, done);
    }
  }

  /** Forgets the pages. */
  synchronized void free(long... at) {
    for (long slot : at) {
      Entries in = entries[chunk(slot)];
      int i = index(slot);
      if (in == null || in.length[i] == EMPTY) {
        continue;
      }
      short length = in.length[i];
      in.length[i] = EMPTY;
      held--;
      if (length == SAME) {
        same--;
      } else {
        pool.free(in.value[i]);
        compressed -= length;
        huge -= length == PAGE ? 1 : 0;
      }
    }
  }

  synchronized MmStat stat() {
    return new MmStat(held * PAGE, compressed, pool.used(), limit, pool.most(), same, 0, huge,
        hugeSince);
  }

  /** Gives all memory back. */
  synchronized void close() {
    pool.close();
  }

  private Entries made(long slot) {
    Entries in = entries[chunk(slot)];
    if (in == null) {
      in = new Entries();
      entries[chunk(slot)] = in;
    }
    return in;
  }

  private int chunk(long slot) {
    if (slot < 0 || slot >= slots) {
      throw new IndexOutOfBoundsException("slot " + slot + " of " + slots);
    }
    return (int) (slot >> CHUNK_SHIFT);
  }

  private static int index(long slot) {
    return (int) slot & CHUNK - 1;
  }

  /** A part of the table, made when first written to. */
  private static final class Entries {
    /** The word of a page that is one word over and over, or an address in the pool. */
    final long[] value = new long[CHUNK];
    /** Bytes in the pool, SAME or EMPTY. */
    final short[] length = new short[CHUNK];
  }
}
