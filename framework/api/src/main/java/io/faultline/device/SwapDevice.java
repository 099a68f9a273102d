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
 * Unregistered, its pages are moved home first; until {@link #swapoff} has been called the device
 * has to serve reads.
 *
 * <p><b>Slots.</b> A device has {@link #slots} slots of one page, numbered from 0. The kernel says
 * which page goes where, writes a slot before it reads it, and never has two calls for one slot under
 * way at once. Of other slots there may be any number of {@link #read}s and one {@link #write} under
 * way at once, on several threads; never two writes. A device that is asked for a slot that holds
 * nothing (never written, freed, or of a write that failed) throws; it makes nothing up.
 *
 * <p><b>Failures.</b> A {@link #read} that throws gives SIGBUS to the accesses that needed the page,
 * and to nobody else; what it brought is not used. A {@link #write} that throws leaves all its pages
 * in memory. Anything thrown is taken for a failure, and so is a call that outlasts the kernel's time
 * limit, which interrupts it: an interrupt may end the call, never the device (a {@code FileChannel}
 * is closed by one). A device that fails is asked again later: when its server is back, it should
 * connect again by itself.
 *
 * <p>A component may be its own device. That is why nothing here is called {@code activate} or {@code
 * deactivate}: Declarative Services takes methods of those names for its own.
 *
 * <p>{@code SwapDeviceContract} in the test kit tests a device against all this.
 */
@ConsumerType
public interface SwapDevice {
  /**
   * Service property: higher is used first. An {@code int}, or a string that reads as one, which is
   * all that a {@code .cfg} file can say.
   */
  String PRIORITY = "swap.priority";

  /** The name in {@code /proc/swaps}, without blanks: {@code /dev/zram0}, {@code /swapfile}. */
  String name();

  /** What {@code /proc/swaps} says about its type: {@code file} or {@code partition}. */
  default String type() {
    return "partition";
  }

  /** How many pages it can hold; asked once, after {@link #swapon}. */
  long slots();

  /**
   * {@code swapon(2)}: makes it ready. Nothing that was written earlier is wanted any more. May be called
   * again after {@link #swapoff}, and after it has failed.
   *
   * @throws IOException when it cannot be used; it has cleaned up behind itself, and nothing else is
   *     called before the next {@code swapon}
   */
  default void swapon() throws IOException {}

  /**
   * {@code swapoff(2)}: no slot is wanted any more and no call will follow before the next {@link
   * #swapon}. Leaves nothing behind. A bundle that stops does not end its device: until this is
   * called the kernel may be moving pages home.
   */
  default void swapoff() {}

  /**
   * Keeps pages.
   *
   * @param slots where to; all different, ascending
   * @param pages the page for each slot, read-only, 4096 bytes of native memory that any thread may
   *     read and nobody changes; good during the call only
   * @throws IOException when not all of them were kept: none counts as kept then, nor what the slots
   *     held before
   */
  void write(long[] slots, MemorySegment[] pages) throws IOException;

  /**
   * Brings pages back; the slots stay in use.
   *
   * @param slots where from; all different, ascending
   * @param pages filled whole, one for each slot, 4096 bytes of native memory that any thread may
   *     write; good during the call only
   * @throws IOException when not all of them could be brought
   */
  void read(long[] slots, MemorySegment[] pages) throws IOException;

  /**
   * Slots whose pages nobody wants any more ({@code swap_slot_free_notify}, discard). A hint: must
   * return soon (no I/O), and must not throw. Until they are written again they are not read. May come
   * while calls for other slots are under way.
   *
   * @param slots all different, ascending
   */
  default void free(long[] slots) {}
}
