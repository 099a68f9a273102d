// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring.client;

import static io.faultline.driver.ring.client.RingLayout.RECORD_HEADER;

import io.faultline.kernel.UserMemory;
import java.lang.foreign.MemorySegment;

/**
 * Takes records from a ring, in their order: {@link #next}, load the payload where it lies, {@link
 * #release}. It goes on where the ring's tail is. For one thread, that of the memory; a ring has one
 * consumer at a time.
 */
public final class RingConsumer {
  private final UserMemory memory;
  private final long head;
  private final long tail;
  private final long data;
  private final long size;

  private long position;
  /** The head as it was last seen. */
  private long seen;
  private long header;

  /** The consumer of a ring. */
  public RingConsumer(MappedRing ring) {
    this.memory = ring.memory();
    this.head = ring.address() + RingLayout.HEAD;
    this.tail = ring.address() + RingLayout.TAIL;
    this.data = ring.address() + RingLayout.DATA;
    this.size = ring.size();
    position = memory.getLong(tail);
    seen = position;
  }

  /**
   * Whether there is a record; the first one, until it is released.
   *
   * @throws IllegalStateException when what lies there is no record
   */
  public boolean next() {
    if (seen == position) {
      seen = memory.getLong(head);
      if (seen == position) {
        return false;
      }
    }
    // Producers may be anybody: nothing that lies outside the mapping is touched for what they wrote.
    if (seen - position < RECORD_HEADER || seen - position > size) {
      throw new IllegalStateException(
          "at byte " + position + " of the ring: " + (seen - position) + " bytes are filled, of "
              + size);
    }
    header = memory.getLong(data + (position & size - 1));
    if (length() < 0 || RingLayout.room(length()) > seen - position) {
      throw new IllegalStateException(
          "at byte " + position + " of the ring: a record of " + length() + " bytes, where "
              + (seen - position) + " are filled");
    }
    return true;
  }

  /** Where the record's payload begins, in one piece. */
  public long address() {
    return data + (position & size - 1) + RECORD_HEADER;
  }

  /** How long its payload is, in bytes. */
  public int length() {
    return (int) header;
  }

  /** The number that its producer gave it. */
  public int kind() {
    return (int) (header >>> 32);
  }

  /** Gives the record's room back to the producers. */
  public void release() {
    position += RingLayout.room(length());
    memory.putLong(tail, position);
  }

  /**
   * Copies a record out, and releases it.
   *
   * @return the length of its payload in bytes, or -1 when there is none
   * @throws IndexOutOfBoundsException when the target is shorter; then nothing is released
   */
  public int poll(MemorySegment target) {
    if (!next()) {
      return -1;
    }
    int length = length();
    memory.read(address(), target.asSlice(0, length));
    release();
    return length;
  }
}
