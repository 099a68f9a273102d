// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Area;
import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.Driver;
import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.core.device.StopWorld;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.FrameInstaller;
import io.faultline.core.mm.PageZapper;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Stops address spaces by their locks. Others hold one of these and wait for a second (a driver's
 * callback that acts on another process): so nobody is waited for long while locks are held. All are
 * let go of, and it begins anew.
 *
 * <p>Only spaces that have to do with the drivers stay stopped. Of all others the lock is taken for
 * reading, for a moment: that waits for a memory call that may be bringing an area of the driver, and
 * for no fault.
 */
public final class StoppedSpaces implements StopWorld {
  /** So long one space is waited for while others are held. */
  private static final long ONE_SPACE_MILLIS = 50;

  private final TaskTable tasks;
  private final DeviceTable devices;

  public StoppedSpaces(TaskTable tasks, DeviceTable devices) {
    this.tasks = tasks;
    this.devices = devices;
  }

  @Override
  public Stopped stop(long millis, Set<Driver> drivers) throws ErrnoException {
    if (devices.inDriverCall()) {
      throw new ErrnoException(Errno.EBUSY, "a driver's callback cannot replace a driver");
    }
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      World world = new World(drivers);
      if (world.complete()) {
        return world;
      }
      int busy = world.busy;
      world.close();
      if (System.nanoTime() - end > 0 || Thread.currentThread().isInterrupted()) {
        throw new ErrnoException(
            Errno.EBUSY,
            "the memory of process " + busy + " is in use: a driver's call does not end");
      }
    }
  }

  @Override
  public boolean tryZap(Predicate<Area> wanted) {
    boolean all = true;
    for (AddressSpace space : tasks.spaces()) {
      try {
        if (!space.tryLockForWriting(1)) {
          all = false;
          continue;
        }
        try {
          for (Area area : space.areas().snapshot()) {
            if (wanted.test(area)) {
              PageZapper.zapFilePages(space, area);
            }
          }
        } finally {
          space.unlockForWriting();
        }
      } catch (ErrnoException gone) {
        // It has no areas any more.
      }
    }
    return all;
  }

  private final class World implements Stopped {
    private final Set<Driver> drivers;
    private final Map<Integer, AddressSpace> held = new LinkedHashMap<>();
    private int busy;

    World(Set<Driver> drivers) {
      this.drivers = drivers;
    }

    /**
     * New spaces with such areas can come only from forks that had begun before their parents were
     * stopped.
     */
    @Override
    public boolean complete() {
      Set<Integer> seen = new HashSet<>(held.keySet());
      boolean more = true;
      while (more) {
        more = false;
        // Births first: whoever leaves them is among the processes by then.
        for (TaskTable.Birth birth : tasks.births()) {
          if (seen.add(birth.space().pid())) {
            more = true;
            if (!isBorn(birth) || !take(birth.space(), false)) {
              busy = birth.space().pid();
              return false;
            }
          }
        }
        for (TaskObject task : tasks.running()) {
          if (seen.add(task.pid())) {
            more = true;
            if (!take(task.space(), task.hasOpen(drivers))) {
              busy = task.pid();
              return false;
            }
          }
        }
      }
      return true;
    }

    /** Waits until a space is filled: whoever fills it has its parent's lock for writing. */
    private boolean isBorn(TaskTable.Birth birth) {
      AddressSpace parent = birth.parent();
      try {
        if (!held.containsKey(parent.pid())) {
          if (!parent.tryLockForReading(ONE_SPACE_MILLIS)) {
            return false;
          }
          parent.unlockForReading();
        }
      } catch (ErrnoException gone) {
        // Its lock was there to be had all the same.
      }
      return true;
    }

    /** Stops a space if it has to be; false when it is busy. */
    private boolean take(AddressSpace space, boolean always) {
      try {
        if (!always) {
          if (!space.tryLockForReading(ONE_SPACE_MILLIS)) {
            return false;
          }
          boolean concerned;
          try {
            concerned = isConcerned(space);
          } finally {
            space.unlockForReading();
          }
          if (!concerned) {
            return true;
          }
        }
        if (!space.tryLockForWriting(ONE_SPACE_MILLIS)) {
          return false;
        }
        held.put(space.pid(), space);
      } catch (ErrnoException gone) {
        // It has no areas any more.
      }
      return true;
    }

    private boolean isConcerned(AddressSpace space) {
      for (Area area : space.areas().snapshot()) {
        for (Driver driver : drivers) {
          if (driver.owns(area)) {
            return true;
          }
        }
      }
      return false;
    }

    @Override
    public List<Area> areas(Predicate<Area> wanted) {
      List<Area> found = new ArrayList<>();
      for (AddressSpace space : held.values()) {
        for (Area area : space.areas().snapshot()) {
          if (wanted.test(area)) {
            found.add(area);
          }
        }
      }
      return found;
    }

    private AddressSpace spaceOf(Area area) {
      AddressSpace space = held.get(area.pid());
      if (space == null) {
        throw new IllegalArgumentException("area: " + area + " is of no space that is stopped");
      }
      return space;
    }

    @Override
    public void zap(Area area) {
      PageZapper.zapFilePages(spaceOf(area), area);
    }

    @Override
    public void bareFrames(Area area, BareFrame frame) {
      spaceOf(area)
          .tables()
          .visit(
              area.start(),
              area.end(),
              (address, entry) -> {
                if (Pte.hasFrame(entry) && Pte.isSpecial(entry)) {
                  frame.at(address, Pte.frame(entry));
                }
                return entry;
              });
    }

    @Override
    public void remap(Area area, List<Install> installs) {
      FrameInstaller.replace(spaceOf(area), area, installs);
    }

    @Override
    public void close() {
      held.values().forEach(AddressSpace::unlockForWriting);
      held.clear();
    }
  }
}
