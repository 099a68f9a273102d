// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring.client;

import static io.faultline.driver.ring.client.RingLayout.RECORD_HEADER;

import io.faultline.kernel.UserMemory;
import java.lang.foreign.MemorySegment;

/**
 * Puts records into a ring: {@link #reserve}, store the payload, {@link #commit}. It goes on where the
 * ring's head is, so that another process may take over from one that has ended.
 *
 * <p>Only two stores order everything: payload, then head. They are seen in this order ({@link
 * UserMemory}). For one thread, that of the memory.
 */
public final class RingProducer {
  private final UserMemory memory;
  private final long head;
  private final long tail;
  private final long reserved;
  private final long data;
  private final long size;
  private final boolean alone;

  /** Of the record under way; where the next one begins, when there is none. */
  private long position;
  /** Behind the record under way, or {@code position}. */
  private long end;
  /** The tail as it was last seen. */
  private long seen;

  private RingProducer(MappedRing ring, boolean alone) {
    this.memory = ring.memory();
    this.head = ring.address() + RingLayout.HEAD;
    this.tail = ring.address() + RingLayout.TAIL;
    this.reserved = ring.address() + RingLayout.RESERVED;
    this.data = ring.address() + RingLayout.DATA;
    this.size = ring.size();
    this.alone = alone;
    position = memory.getLong(head);
    end = position;
    seen = memory.getLong(tail);
  }

  /** The only producer of a ring. */
  public static RingProducer alone(MappedRing ring) {
    return new RingProducer(ring, true);
  }

  /**
   * One of several producers of a ring, all of which are made by this method. They reserve with {@code
   * compareAndSetLong} and publish in the order of their reservations: {@link #commit} waits for those
   * that came before, for ever if one of their processes ended in between.
   */
  public static RingProducer oneOfSeveral(MappedRing ring) {
    return new RingProducer(ring, false);
  }

  /**
   * Reserves room for a record and writes its header.
   *
   * @param length of the payload in bytes
   * @param kind a number for the consumer
   * @return where to store the payload, 8-byte aligned, in one piece; 0 when there is no room now
   * @throws IllegalArgumentException for a record that is longer than the ring
   * @throws IllegalStateException when the last record was not committed
   */
  public long reserve(int length, int kind) {
    if (length < 0 || RingLayout.room(length) > size) {
      throw new IllegalArgumentException(
          "length: " + length + "; give 0 to " + (size - RECORD_HEADER));
    }
    if (end != position) {
      throw new IllegalStateException("the record before is not committed");
    }
    long room = RingLayout.room(length);
    if (alone ? !reserveAlone(room) : !reserveAmongSeveral(room)) {
      return 0;
    }
    long at = data + (position & size - 1);
    memory.putLong(at, (long) kind << 32 | length);
    return at + RECORD_HEADER;
  }

  private boolean reserveAlone(long room) {
    if (position + room - seen > size) {
      seen = memory.getLong(tail);
      if (position + room - seen > size) {
        return false;
      }
    }
    end = position + room;
    return true;
  }

  private boolean reserveAmongSeveral(long room) {
    while (true) {
      long start = memory.getLong(reserved);
      // Behind the head only if somebody was the only producer before: then nobody is under way.
      long from = Math.max(start, memory.getLong(head));
      if (from + room - seen > size) {
        seen = memory.getLong(tail);
        if (from + room - seen > size) {
          return false;
        }
      }
      if (memory.compareAndSetLong(reserved, start, from + room)) {
        position = from;
        end = from + room;
        return true;
      }
      Thread.onSpinWait();
    }
  }

  /** Lets the consumer see the record. */
  public void commit() {
    if (end == position) {
      throw new IllegalStateException("there is no record: reserve first");
    }
    if (!alone) {
      int spins = 0;
      while (memory.getLong(head) != position) {
        if (++spins < 100) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }
    position = end;
    memory.putLong(head, end);
  }

  /**
   * Puts a record.
   *
   * @return false when there is no room now
   * @throws IllegalArgumentException for a record that is longer than the ring
   */
  public boolean offer(MemorySegment payload, int kind) {
    long at = reserve(Math.toIntExact(payload.byteSize()), kind);
    if (at == 0) {
      return false;
    }
    memory.write(at, payload);
    commit();
    return true;
  }
}
