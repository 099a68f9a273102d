// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * What lies behind the frames of memory: device registers. A frame whose number is {@link
 * PhysicalMemory#frames()} or more has no bytes; each access to it is a call. Thread-safe.
 *
 * <p>Places are physical addresses in bytes: the frame's number times the page size, plus the
 * displacement. An access is of 1, 2, 4 or 8 bytes and aligned to its size; {@link IoAccess} splits
 * what is not.
 */
public interface IoBus {
  /** A bus without devices. */
  IoBus NONE =
      new IoBus() {
        @Override
        public long load(long place, int size) throws BusException {
          throw nobody(place);
        }

        @Override
        public void store(long place, int size, long value) throws BusException {
          throw nobody(place);
        }

        @Override
        public long exchange(long place, int size, long expected, long value)
            throws BusException {
          throw nobody(place);
        }

        @Override
        public boolean await(long place) {
          return false;
        }

        private BusException nobody(long place) {
          return new BusException("no device answers at 0x" + Long.toHexString(place), false);
        }
      };

  /**
   * Loads. No lock of an address space should be held: a device may take its time.
   *
   * @return the value, its upper bits 0
   * @throws BusException when the device cannot answer
   */
  long load(long place, int size) throws BusException;

  /**
   * Stores.
   *
   * @param value its upper bits may be anything
   * @throws BusException when the device cannot answer
   */
  void store(long place, int size, long value) throws BusException;

  /**
   * Loads, and stores what was expected to be replaced, or what was loaded; with no other access of the
   * same region in between. A locked cycle on x86.
   *
   * @param size 4 or 8
   * @param expected without bits beyond the size
   * @param value what is stored when that was loaded; its upper bits may be anything
   * @return what was loaded, its upper bits 0
   * @throws BusException when the device cannot answer
   */
  long exchange(long place, int size, long expected, long value) throws BusException;

  /**
   * Waits a moment for a device that was absent, with no lock held.
   *
   * @return whether the access should be tried again, from the page tables on
   */
  boolean await(long place);
}
