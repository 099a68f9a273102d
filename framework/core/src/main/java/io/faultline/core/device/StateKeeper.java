// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.DriverPages;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks a driver that leaves for the state of its devices, and gives it to one that comes. Both with the
 * address spaces stopped that have to do with the devices, as in an exchange.
 */
final class StateKeeper {
  /** A question to a driver. */
  @FunctionalInterface
  interface Question {
    void to(HandOver driver) throws Throwable;
  }

  private final Kernel kernel;
  private final StopWorld world;
  private final KeptStates kept;

  StateKeeper(Kernel kernel, StopWorld world, KeptStates kept) {
    this.kernel = kernel;
    this.world = world;
    this.kept = kept;
  }

  /** Asks the driver of a node in its guard. */
  static void ask(DeviceNode node, String operation, Question question) throws ErrnoException {
    node.<MmapProvider, @Nullable Object>callAside(
        node.driver().lease(), operation, true, Errno.ENXIO, false, provider -> {
          question.to((HandOver) provider);
          return null;
        });
  }

  /**
   * Keeps what a driver saves that is about to go, device by device.
   *
   * @param pages the driver's
   * @param stuck calls into it that do not end
   */
  void save(Driver driver, DriverPages pages, int stuck) {
    if (!kept.isOn() || !driver.handsOver()) {
      return;
    }
    if (stuck > 0) {
      notKept(driver.name(), stuck + " of its calls do not end");
      return;
    }
    try (StopWorld.Stopped stopped =
        world.stop(Watchdog.patienceMillis(driver), Set.of(driver))) {
      for (DeviceNode node : driver.nodes()) {
        if (node.inode() != null) {
          save(driver, node, pages);
        }
      }
    } catch (ErrnoException busy) {
      notKept(driver.name(), String.valueOf(busy.getMessage()));
    }
  }

  private void save(Driver driver, DeviceNode node, DriverPages pages) {
    int[] version = {1};
    try {
      ask(node, "stateVersion", asked -> version[0] = asked.stateVersion());
      StateBuffer state = new StateBuffer(version[0]);
      PageMoves written = new PageMoves(pages);
      try {
        ask(
            node, "saveState",
            asked -> asked.saveState(node.index(), state.writer(pages, written)));
      } finally {
        state.seal();
      }
      kept.keep(driver, node, state, written);
    } catch (ErrnoException refused) {
      notKept(driver.name(), String.valueOf(refused.getMessage()));
    }
  }

  private void notKept(String driver, String why) {
    kernel.log().problem("the state of driver " + driver + " is not kept: " + why, null);
  }

  /**
   * Offers a driver that comes what is kept of its devices. What it refuses stays kept.
   *
   * @param to the driver's pages
   */
  void restore(Driver driver, DriverPages to) {
    for (DeviceNode node : driver.nodes()) {
      KeptStates.Kept found = kept.find(node, to);
      if (found == null) {
        continue;
      }
      StateBuffer state = found.state();
      StateBuffer.Reader reader = state.reader(found.moves());
      try {
        try {
          ask(
              node, "restoreState",
              asked -> asked.restoreState(node.index(), state.version(), reader));
        } finally {
          reader.expire();
        }
        int unused = kept.taken(node, found);
      } catch (ErrnoException refused) {
        found.moves().undo();
        kernel.log().problem(
            "driver " + driver.name() + " serves without what was kept of " + node.owner() + ": "
                + refused.getMessage() + ". It stays kept; driver forget " + node.owner()
                + " frees it",
            null);
      }
    }
  }
}
