// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring.client;

import io.faultline.mm.Mman;

/**
 * Where things are in a mapping of a ring, in bytes from its beginning. Page 0 is the control page;
 * pages 1 to <i>n</i> are the data, pages <i>n</i>+1 to 2<i>n</i> the same frames again. All words are
 * little-endian.
 *
 * <p>{@link #HEAD} and {@link #TAIL} count bytes since the ring was made and never wrap: the bytes from
 * tail to head are filled, and position <i>p</i> is at {@code DATA + (p & size - 1)}. As in {@code
 * perf_event_mmap_page}, the producer moves the head and the consumer the tail.
 */
public final class RingLayout {
  /** Eight bytes: {@link #MAGIC_VALUE}. */
  public static final int MAGIC = 0;
  /** Four bytes: the version of the layout, {@link #VERSION_VALUE}. */
  public static final int VERSION = 8;
  /** Four bytes: which ring it is, 0 for {@code /dev/ring0}. */
  public static final int NUMBER = 12;
  /** Eight bytes: where the data begins, {@link #DATA}. */
  public static final int DATA_OFFSET = 16;
  /** Eight bytes: how much data there is, a power of two of 4096 or more. */
  public static final int DATA_SIZE = 24;
  /**
   * Eight bytes: what producers have filled. Alone on two cache lines, since processors fetch them in
   * pairs; so are the next two.
   */
  public static final int HEAD = 128;
  /** Eight bytes: what the consumer has done with. */
  public static final int TAIL = 256;
  /** Eight bytes: what producers have reserved, where there are several. */
  public static final int RESERVED = 384;
  /** The first byte of the data. */
  public static final int DATA = Mman.PAGE_SIZE;

  /** {@code FLTRING} and a zero, as text. */
  public static final long MAGIC_VALUE = 0x0047_4e49_5254_4c46L;
  /** The version that is described here. */
  public static final int VERSION_VALUE = 1;

  /** A record: its length in bytes and a number of the producer's choice, four bytes each; the rest. */
  public static final int RECORD_HEADER = 8;

  private RingLayout() {}

  /** How long a mapping of the whole ring is, in bytes. */
  public static long mapped(long dataSize) {
    return DATA + 2 * dataSize;
  }

  /** How much room a record takes, in bytes: header, payload, and what is missing to a multiple of 8. */
  public static long room(int length) {
    return RECORD_HEADER + (length + 7L & -8L);
  }
}
