// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.mm.ErrnoException;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/**
 * Brings all address spaces to a halt, so that what stands behind their areas can be exchanged. Who
 * touches a page that has no entry, or makes a memory call, waits for the space's lock meanwhile.
 */
public interface StopWorld {
  /** A world without address spaces. */
  StopWorld NONE =
      new StopWorld() {
        @Override
        public Stopped stop(long millis) {
          return new Nothing();
        }

        @Override
        public boolean tryZap(Predicate<Area> wanted) {
          return true;
        }
      };

  /**
   * Stops it.
   *
   * @param millis how long to wait for spaces that are busy, at most
   * @throws ErrnoException EBUSY when one still is, or from a driver's callback
   */
  Stopped stop(long millis) throws ErrnoException;

  /**
   * Takes the pages of some areas out of the page tables, space by space, and waits for none for long.
   *
   * @return false when a space was busy: to be tried again
   */
  boolean tryZap(Predicate<Area> wanted);

  /** No address spaces. */
  record Nothing() implements Stopped {
    @Override
    public boolean complete() {
      return true;
    }

    @Override
    public List<Area> areas(Predicate<Area> wanted) {
      return List.of();
    }

    @Override
    public void zap(Area area) {}

    @Override
    public void bareFrames(Area area, LongConsumer frame) {}

    @Override
    public void close() {}
  }

  /** All address spaces, their locks held for writing. */
  interface Stopped extends AutoCloseable {
    /**
     * Takes those in that have come since; from here on nothing that is asked about can change.
     *
     * @return false when one of them is busy
     */
    boolean complete();

    /** All areas of a kind. */
    List<Area> areas(Predicate<Area> wanted);

    /** Takes the pages of an area out of its page table. */
    void zap(Area area);

    /** The frames that an area maps without a count ({@code remap_pfn_range}). */
    void bareFrames(Area area, LongConsumer frame);

    @Override
    void close();
  }
}
