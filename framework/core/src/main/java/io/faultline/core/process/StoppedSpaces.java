// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.area.Area;
import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.StopWorld;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.PageZapper;
import io.faultline.core.paging.Pte;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/**
 * Stops all address spaces by their locks. Others hold one of these and wait for a second (a driver's
 * callback that acts on another process): so nobody is waited for long while locks are held. All are
 * let go of, and it begins anew.
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
  public Stopped stop(long millis) throws ErrnoException {
    if (devices.inDriverCall()) {
      throw new ErrnoException(Errno.EBUSY, "a driver's callback cannot replace a driver");
    }
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      World world = new World();
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
              PageZapper.zap(space, area.start(), area.end(), false);
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
    private final Map<Integer, AddressSpace> held = new LinkedHashMap<>();
    private int busy;

    /** New spaces can come from forks only that had begun before their parents were stopped. */
    @Override
    public boolean complete() {
      boolean more = true;
      while (more) {
        more = false;
        for (AddressSpace space : tasks.spacesAndBirths()) {
          if (held.containsKey(space.pid())) {
            continue;
          }
          try {
            if (!space.tryLockForWriting(ONE_SPACE_MILLIS)) {
              busy = space.pid();
              return false;
            }
            held.put(space.pid(), space);
            more = true;
          } catch (ErrnoException gone) {
            // It has no areas any more.
          }
        }
      }
      return true;
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
      PageZapper.zap(spaceOf(area), area.start(), area.end(), false);
    }

    @Override
    public void bareFrames(Area area, LongConsumer frame) {
      spaceOf(area)
          .tables()
          .visit(
              area.start(),
              area.end(),
              (address, entry) -> {
                if (Pte.hasFrame(entry) && Pte.isSpecial(entry)) {
                  frame.accept(Pte.frame(entry));
                }
                return entry;
              });
    }

    @Override
    public void close() {
      held.values().forEach(AddressSpace::unlockForWriting);
      held.clear();
    }
  }
}
