// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.core.memory.DriverPages;
import io.faultline.device.HandOver;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.Upgrade;
import io.faultline.kernel.UpgradeException;
import io.faultline.kernel.UpgradeException.Step;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Puts drivers in the place of others, all of them or none: self-test, stop, save, restore, adopt,
 * commit. Until the commit, which cannot fail, everything can be undone.
 *
 * <p>Address spaces that have to do with the drivers are stopped first, since a driver's {@code mmap}
 * is called with one's lock held; then calls of {@code file_operations}, which hold none, are made to
 * wait, and those under way are waited for. A call that waits for a stopped space is let go on, and
 * all begins anew. So does it when a process has come to a device only now: it waits in {@code mmap}
 * with its space's lock held, and is among those that are stopped first the next time.
 */
final class Exchange {
  private static final long ONE_DRAIN_MILLIS = 100;

  /**
   * One driver in the place of another.
   *
   * @param next not yet in the table
   */
  record Pair(Driver old, Driver next) {
    /** The new driver's node of a path, or null. */
    @Nullable DeviceNode heir(DeviceNode node) {
      return next.nodes().stream().filter(other -> other.owner().equals(node.owner()))
          .findFirst().orElse(null);
    }
  }

  /** Enters new drivers in the table, and takes the old ones out. */
  @FunctionalInterface
  interface Commit {
    /**
     * @throws UpgradeException when another driver has come by the name or the number of a new node
     *     meanwhile; nothing was changed
     */
    void enter(List<Pair> pairs) throws UpgradeException;
  }

  private final Kernel kernel;
  private final StopWorld world;
  private final Function<DeviceRegistration, DriverPages> pages;
  private final Predicate<Long> keptByKernel;
  private final List<Pair> pairs;
  private final List<Runnable> resume = new ArrayList<>();
  private final Map<DriverPages, PageMoves> moves = new IdentityHashMap<>();
  private final Adopter adopter = new Adopter();
  private long stateBytes;
  private long stoppedAt;

  /**
   * @param pages the accounts of drivers
   * @param keptByKernel whether a frame stays, whatever becomes of drivers
   */
  Exchange(
      Kernel kernel, StopWorld world, Function<DeviceRegistration, DriverPages> pages,
      Predicate<Long> keptByKernel, List<Pair> pairs) {
    this.kernel = kernel;
    this.world = world;
    this.pages = pages;
    this.keptByKernel = keptByKernel;
    this.pairs = pairs;
  }

  /**
   * @throws UpgradeException when a step fails; everything is as it was
   */
  Upgrade run(Commit commit) throws UpgradeException {
    for (Pair pair : pairs) {
      ask(Step.SELF_TEST, pair.next, "selfTest", HandOver::selfTest);
    }
    StopWorld.Stopped stopped = stop();
    long began = stoppedAt;
    boolean done = false;
    int moved = 0;
    try {
      checkDropped();
      for (Pair pair : pairs) {
        handOverState(pair);
      }
      adopt(stopped);
      commit.enter(pairs);
      // What follows cannot fail.
      adopter.commit(stopped);
      pairs.forEach(pair -> kernel.io().move(pair.old, pair.next));
      for (PageMoves move : moves.values()) {
        moved += move.complete();
      }
      pairs.forEach(pair -> pair.old.replaced());
      pairs.forEach(pair -> pair.old.nodes().forEach(DeviceNode::revoke));
      done = true;
    } finally {
      if (!done) {
        adopter.undo();
        moves.values().forEach(PageMoves::undo);
        resume.forEach(Runnable::run);
      }
      stopped.close();
    }
    long stalled = System.nanoTime() - began;
    return new Upgrade(
        pairs.stream().flatMap(pair -> pair.next.paths().stream()).toList(), adopter.files(),
        adopter.areas(), moved, stateBytes, stalled);
  }

  /** From here on no call into the old drivers is under way, and none begins. */
  private StopWorld.Stopped stop() throws UpgradeException {
    long limit = 0;
    Set<Driver> olds = new HashSet<>();
    for (Pair pair : pairs) {
      olds.add(pair.old);
      limit = Math.max(limit, Watchdog.patienceMillis(pair.old));
    }
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limit);
    while (true) {
      stoppedAt = System.nanoTime();
      StopWorld.Stopped stopped;
      try {
        stopped = world.stop(limit, olds);
      } catch (ErrnoException busy) {
        throw failed(Step.DRAIN, busy);
      }
      boolean quiet = false;
      try {
        quiet = hold() && drained() && stopped.complete();
      } finally {
        if (!quiet) {
          resume.forEach(Runnable::run);
          resume.clear();
          stopped.close();
        }
      }
      if (quiet) {
        return stopped;
      }
      if (System.nanoTime() - end > 0) {
        throw new UpgradeException(
            Step.DRAIN, "a call into " + pairs.getFirst().old.name() + " does not end");
      }
    }
  }

  private boolean hold() throws UpgradeException {
    for (Pair pair : pairs) {
      Runnable back = pair.old.beginExchange();
      if (back == null) {
        throw new UpgradeException(
            Step.MATCH, pair.old.name() + " is being removed, or is gone already");
      }
      resume.add(back);
    }
    return true;
  }

  private boolean drained() {
    for (Pair pair : pairs) {
      if (kernel.watchdog().drain(pair.old, ONE_DRAIN_MILLIS) > 0) {
        return false;
      }
    }
    return true;
  }

  /** A node that the new version does not have may go only when nobody uses it. */
  private void checkDropped() throws UpgradeException {
    for (Pair pair : pairs) {
      for (DeviceNode node : pair.old.nodes()) {
        if (pair.heir(node) == null && !node.files().isEmpty()) {
          throw new UpgradeException(
              Step.MATCH,
              "%s is open or mapped (%d files), and the new version does not have it".formatted(
                  node.owner(), node.files().size()));
        }
      }
    }
  }

  private void handOverState(Pair pair) throws UpgradeException {
    // One for each account: devices of one bundle may show the same pages.
    PageMoves move =
        moves.computeIfAbsent(pages.apply(pair.next.registration()), PageMoves::new);
    if (!pair.old.handsOver() || !pair.next.handsOver()) {
      return;
    }
    DriverPages oldPages = pages.apply(pair.old.registration());
    int[] version = {1};
    ask(Step.SAVE, pair.old, "stateVersion", driver -> version[0] = driver.stateVersion());
    for (DeviceNode node : pair.old.nodes()) {
      DeviceNode heir = pair.heir(node);
      if (heir == null) {
        continue;
      }
      StateBuffer state = new StateBuffer(version[0]);
      try {
        ask(
            Step.SAVE, pair.old, node, "saveState",
            driver -> driver.saveState(node.index(), state.writer(oldPages, move)));
      } finally {
        state.seal();
      }
      stateBytes += state.size();
      StateBuffer.Reader reader = state.reader(move);
      try {
        ask(
            Step.RESTORE, pair.next, heir, "restoreState",
            driver -> driver.restoreState(heir.index(), state.version(), reader));
      } finally {
        reader.expire();
      }
    }
  }

  private void adopt(StopWorld.Stopped stopped) throws UpgradeException {
    for (Pair pair : pairs) {
      PageMoves move =
          Objects.requireNonNull(moves.get(pages.apply(pair.next.registration())));
      try {
        for (DeviceNode node : pair.old.nodes()) {
          DeviceNode heir = pair.heir(node);
          for (OpenFileObject file : node.files()) {
            adopter.adopt(file, present(heir, node));
          }
        }
        for (Area area : stopped.areas(pair.old::serves)) {
          DeviceNode node = pair.old.nodeOf(area);
          DeviceNode next = present(pair.heir(node), node);
          List<Install> installs = adopter.adopt(area, next, pair.old);
          checkBareFrames(stopped, area, installs, move);
          checkRegisters(stopped, area, installs, next, pair.old);
        }
      } catch (ErrnoException refused) {
        throw failed(Step.ADOPT, refused);
      }
    }
  }

  /** Who opened it after it was looked at waits in its {@code open}. */
  private static DeviceNode present(@Nullable DeviceNode heir, DeviceNode node)
      throws ErrnoException {
    if (heir == null) {
      throw new ErrnoException(Errno.EBUSY, node.owner() + " has just been opened");
    }
    return heir;
  }

  /** Nothing but their owner keeps them from being handed out again. */
  private void checkBareFrames(
      StopWorld.Stopped stopped, Area area, List<Install> installs, PageMoves move)
      throws ErrnoException {
    long[] lost = {-1};
    stopped.bareFrames(area, (address, frame) -> {
      if (!isReplaced(installs, address) && !kernel.memory().isIo(frame)
          && frame != kernel.memory().zeroFrame() && !move.covers(frame)
          && !keptByKernel.test(frame)) {
        lost[0] = frame;
      }
    });
    if (lost[0] >= 0) {
      throw new ErrnoException(
          Errno.EBUSY,
          "area [0x%x, 0x%x) of process %d maps frame %d, which was not handed over; write it with"
              .formatted(area.start(), area.end(), area.pid(), lost[0])
              + " StateWriter.writePage, or take it from DeviceMemory");
    }
  }

  /** Somebody must answer where registers are mapped. */
  private void checkRegisters(
      StopWorld.Stopped stopped, Area area, List<Install> installs, DeviceNode next, Driver old)
      throws ErrnoException {
    Set<Long> mapped = new TreeSet<>();
    stopped.bareFrames(area, (address, frame) -> {
      if (!isReplaced(installs, address) && kernel.memory().isIo(frame)) {
        mapped.add(frame);
      }
    });
    for (long frame : mapped) {
      kernel.io().check(next, old, frame);
    }
  }

  private static boolean isReplaced(List<Install> installs, long address) {
    return installs.stream()
        .anyMatch(install -> install.address() <= address && address < install.end());
  }

  private static void ask(Step step, Driver driver, String operation, StateKeeper.Question question)
      throws UpgradeException {
    ask(step, driver, driver.nodes().getFirst(), operation, question);
  }

  private static void ask(
      Step step, Driver driver, DeviceNode node, String operation, StateKeeper.Question question)
      throws UpgradeException {
    if (!driver.handsOver()) {
      return;
    }
    try {
      StateKeeper.ask(node, operation, question);
    } catch (ErrnoException refused) {
      throw failed(step, refused);
    }
  }

  private static UpgradeException failed(Step step, ErrnoException refused) {
    String message = refused.getMessage();
    return new UpgradeException(
        step, message == null ? refused.errno().name().toLowerCase(Locale.ROOT) : message);
  }
}
