// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * The registers of an {@link IoRegion}: what {@code readl} and {@code writel} reach in Linux, seen from
 * the device. Every load and store that a process makes in a mapping of the region arrives here, each
 * time; nothing is cached.
 *
 * <p>An access is of 1, 2, 4 or 8 bytes and aligned to its size. What a program does otherwise arrives
 * as several: a value that is not aligned, in ascending order, each access as large as alignment and
 * rest allow; a copy of many bytes ({@code read(2)} into a mapping, {@link
 * io.faultline.kernel.UserMemory#read}, a copy on write) in fours, with ones and twos at its ends, as
 * {@code memcpy_fromio} of x86 does. {@code lock cmpxchg} is a read and a write by the same thread, with no other access of the region in
 * between (but for what a handler asks of its own registers; and what the device itself does to them goes
 * on): a locked cycle of x86. The write comes also where the comparison failed, with what was read. A
 * touch is none.
 *
 * <p><b>Registers that are not there.</b> On a bus where nobody answers a read gives all ones and a
 * write is lost; a handler should do the same for accesses that it does not know. One that throws, or
 * outlasts the device's time limit, costs that access SIGBUS, a line in the log and a count as a
 * driver's error.
 *
 * <p><b>Threads and locks.</b> Called on the thread that makes the access, with no lock of the kernel
 * held; several at once. An access
 * under way when its area is unmapped by another thread may arrive after {@link
 * io.faultline.mm.VmOperations#close}, as a posted write may; none arrives after the driver is gone.
 */
@ConsumerType
public interface IoHandler {
  /**
   * A load.
   *
   * @param offset in bytes from the region's beginning, a multiple of {@code size}
   * @param size 1, 2, 4 or 8
   * @return the value; bits beyond the size are ignored
   */
  long read(long offset, int size);

  /**
   * A store.
   *
   * @param offset in bytes from the region's beginning, a multiple of {@code size}
   * @param size 1, 2, 4 or 8
   * @param value little-endian; bits beyond the size are 0
   */
  void write(long offset, int size, long value);
}
