// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A place for pages that do not fit into memory ({@code swap_info_struct} with the block device
 * behind it). Registered as an OSGi service it is switched on ({@code swapon}) at once; several may
 * be in use, those with the highest {@code swap.priority} (an {@code int} service property, -2 when
 * absent, as Linux gives to one that asks for none) first, those of equal priority in turns.
 * Unregistered, its pages are moved home first; until {@link #deactivate} has been called the device
 * has to serve reads.
 *
 * <p><b>Slots.</b> A device has {@link #slots} slots of one page, numbered from 0. The kernel says
 * which page goes where, writes a slot before it reads it, and never has two calls for one slot under
 * way at once. It may call {@link #read} while a {@link #write} of other slots is under way, on
 * another thread; it never has two writes under way.
 *
 * <p><b>Failures.</b> A {@link #read} that throws gives SIGBUS to the accesses that needed the page,
 * and to nobody else; what it brought is not used. A {@link #write} that throws leaves all its pages
 * in memory. Anything thrown is taken for a failure, and so is a call that outlasts the kernel's time
 * limit, which interrupts it. A device that fails is asked again later: when its server is back, it
 * should connect again by itself.
 */
@ConsumerType
public interface SwapDevice {
  /** Service property, {@code int}: higher is used first. */
  String PRIORITY = "swap.priority";

  /** The name in {@code /proc/swaps}, without blanks: {@code /dev/zram0}, {@code /swapfile}. */
  String name();

  /** What {@code /proc/swaps} says about its type: {@code file} or {@code partition}. */
  default String type() {
    return "partition";
  }

  /** How many pages it can hold; asked once, after {@link #activate}. */
  long slots();

  /**
   * {@code swapon}: makes it ready. Nothing that was written earlier is wanted any more.
   *
   * @throws IOException when it cannot be used; then nothing else is called
   */
  default void activate() throws IOException {}

  /** {@code swapoff}: no slot is wanted any more and no call will follow. */
  default void deactivate() {}

  /**
   * Keeps pages.
   *
   * @param slots where to; all different, ascending
   * @param pages the page for each slot, read-only, 4096 bytes long; good during the call only
   * @throws IOException when not all of them were kept: none counts as kept then
   */
  void write(long[] slots, MemorySegment[] pages) throws IOException;

  /**
   * Brings pages back; the slots stay in use.
   *
   * @param slots where from; all different, ascending
   * @param pages filled whole, one for each slot, 4096 bytes long; good during the call only
   * @throws IOException when not all of them could be brought
   */
  void read(long[] slots, MemorySegment[] pages) throws IOException;

  /**
   * Slots whose pages nobody wants any more ({@code swap_slot_free_notify}, discard). A hint: must
   * return soon, and must not throw. Until they are written again they are not read.
   */
  default void free(long[] slots) {}
}
