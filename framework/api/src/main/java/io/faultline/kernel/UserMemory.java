// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.Access;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A task's memory as one of its processors sees it: loads and stores through a software TLB, with
 * page faults as on real hardware. Little-endian, like x86-64; values may be unaligned and may cross
 * pages.
 *
 * <p><b>One thread at a time.</b> Different views of one task may be used at once. A mapped access
 * takes no lock and allocates nothing.
 *
 * <p><b>Order</b> is that of x86 (TSO), for threads and processes that share pages. Who sees a store
 * sees all stores that the same thread made before it: store the data, then the flag. Nothing passes a
 * load that comes before it. Only a load may be done before an earlier store to another place is seen;
 * {@link #compareAndSetLong} between the two prevents that. A value at a multiple of its size is never
 * seen in part; the bytes of {@link #read} and {@link #write} are copied in any order, but not before
 * what the thread did earlier nor after what it does next. On a host other than x86 fences see to it,
 * save that two threads may see two independent stores of others in different orders where the host's
 * processor allows it, and that {@code compareAndSet} is as strong as that of a {@code VarHandle}.
 *
 * <p>Every method throws {@link SignalException} where the program would be sent a signal. A load or
 * store of a value is all or nothing, even across pages; a copy that faults half-way has moved the
 * bytes before the faulting page, like {@code copy_to_user}.
 */
@ProviderType
public interface UserMemory {
  byte getByte(long address);

  void putByte(long address, byte value);

  short getShort(long address);

  void putShort(long address, short value);

  int getInt(long address);

  void putInt(long address, int value);

  long getLong(long address);

  void putLong(long address, long value);

  /**
   * Copies from the task's memory.
   *
   * @param address first byte in the task
   * @param target filled whole
   */
  void read(long address, MemorySegment target);

  /**
   * Copies into the task's memory.
   *
   * @param address first byte in the task
   * @param source written whole
   */
  void write(long address, MemorySegment source);

  /**
   * {@code lock cmpxchg} on four bytes.
   *
   * @param address a multiple of four
   * @return whether the value was {@code expected} and is now {@code value}
   * @throws IllegalArgumentException when not aligned
   */
  boolean compareAndSetInt(long address, int expected, int value);

  /**
   * {@code lock cmpxchg} on eight bytes.
   *
   * @param address a multiple of eight
   * @return whether the value was {@code expected} and is now {@code value}
   * @throws IllegalArgumentException when not aligned
   */
  boolean compareAndSetLong(long address, long expected, long value);

  /**
   * Touches one byte, moving no data: what a {@code prefetch} that may fault would do. For {@link
   * Access#WRITE} the byte is written with its own value.
   */
  void touch(long address, Access access);
}
