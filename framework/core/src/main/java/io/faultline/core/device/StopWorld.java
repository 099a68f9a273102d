// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.mm.ErrnoException;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Brings address spaces to a halt, so that what stands behind their areas can be exchanged: those that
 * have a device of certain drivers mapped, and those of processes that have one open, and so could map
 * it. Who touches a page that has no entry there, or makes a memory call, waits for the space's lock
 * meanwhile; others do not notice.
 */
public interface StopWorld {
  /** A world without address spaces. */
  StopWorld NONE =
      new StopWorld() {
        @Override
        public Stopped stop(long millis, Set<Driver> drivers) {
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
   * @param drivers whose devices count, those that are gone too
   * @throws ErrnoException EBUSY when one still is, or from a driver's callback
   */
  Stopped stop(long millis, Set<Driver> drivers) throws ErrnoException;

  /**
   * Takes the pages of some areas out of the page tables, space by space, and waits for none for long.
   *
   * @return false when a space was busy: to be tried again
   */
  boolean tryZap(Predicate<Area> wanted);

  /** Is shown a frame, and where it is mapped. */
  @FunctionalInterface
  interface BareFrame {
    void at(long address, long frame);
  }

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
    public void bareFrames(Area area, BareFrame frame) {}

    @Override
    public void remap(Area area, List<Install> installs) {}

    @Override
    public void close() {}
  }

  /** Address spaces, their locks held for writing. */
  interface Stopped extends AutoCloseable {
    /**
     * Takes those in that have come to a device since. Who can reach no driver from here on, since its
     * calls wait, can come to no area of it either: nothing that is asked about can change.
     *
     * @return false when one of them is busy, or one of which that is not yet known
     */
    boolean complete();

    /** All areas of a kind that are of these drivers. */
    List<Area> areas(Predicate<Area> wanted);

    /** Takes the pages of an area out of its page table; private copies and guards stay. */
    void zap(Area area);

    /** The frames that an area maps without a count ({@code remap_pfn_range}). */
    void bareFrames(Area area, BareFrame frame);

    /** Maps bare frames in the place of those that are mapped there; private copies stay. */
    void remap(Area area, List<Install> installs);

    @Override
    void close();
  }
}
