// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.KeptMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What drivers that went have saved, until one of the same name comes back: bytes and pages of each
 * device. The kernel holds a reference of its own on each page, so that a driver frees its pages as
 * ever. Bounded: the oldest goes first. Calls no driver. Thread-safe.
 */
final class KeptStates {
  /** The state of one device. */
  private record Saved(
      String driver, String version, String path, StateBuffer state, Set<Long> frames,
      long number, WeakReference<MmapProvider> saver) {}

  /** What is kept of the devices of one bundle: they may have pages in common. */
  private final class Bag {
    private final DriverPages account;
    private final Map<String, Saved> states = new LinkedHashMap<>();
    private final Map<Long, Page> pages = new HashMap<>();
    /** Who took the pages that have been restored so far. */
    private @Nullable DriverPages taker;
    private @Nullable PageMoves moves;

    Bag(String driver) {
      account = new DriverPages(memory, "what is kept of " + driver);
    }

    void hold(PageMoves written) {
      for (Page page : written.pages()) {
        Page known = pages.get(page.frameNumber());
        if (known == null || !account.holds(known)) {
          pages.put(page.frameNumber(), account.keep(page));
        }
      }
      moves = null;
    }

    /** The pages on their way to an account, the same way for all devices of a bundle. */
    PageMoves movesTo(DriverPages to) {
      PageMoves known = moves;
      if (known == null || taker != to) {
        known = new PageMoves(to);
        for (Page page : pages.values()) {
          if (account.holds(page)) {
            known.written(page);
          }
        }
        taker = to;
        moves = known;
      }
      return known;
    }

    /** Drops pages that no state mentions. */
    void prune() {
      Set<Long> needed = new HashSet<>();
      states.values().forEach(saved -> needed.addAll(saved.frames));
      pages.values().removeIf(page -> {
        boolean held = account.holds(page);
        if (held && !needed.contains(page.frameNumber())) {
          page.put();
          held = false;
        }
        return !held;
      });
    }

    long bytes() {
      return account.allocated() * Mman.PAGE_SIZE
          + states.values().stream().mapToLong(saved -> saved.state.size()).sum();
    }
  }

  private final PhysicalMemory memory;
  private final DriverLog log;
  private volatile long limit;

  // Guarded by this object's monitor.
  private final Map<String, Bag> bags = new HashMap<>();
  private long numbers;

  KeptStates(PhysicalMemory memory, DriverLog log) {
    this.memory = memory;
    this.log = log;
  }

  /** How much is kept at most, in bytes; 0 for nothing. */
  void setLimit(long bytes) {
    limit = bytes;
  }

  boolean isOn() {
    return limit > 0;
  }

  /**
   * Keeps the state of a device, in the place of what was kept of it before.
   *
   * @param written its pages, which are still the driver's
   * @throws ErrnoException EINVAL when it has freed one of them
   */
  synchronized void keep(Driver driver, DeviceNode node, StateBuffer state, PageMoves written)
      throws ErrnoException {
    String name = driver.registration().driver();
    forget(saved -> saved.driver.equals(name) && saved.path.equals(node.owner()));
    if (state.size() == 0) {
      return;
    }
    Bag bag = bags.computeIfAbsent(name, Bag::new);
    try {
      bag.hold(written);
    } catch (IllegalStateException freed) {
      // Those that came before it are not needed.
      int unused = forget(saved -> false);
      throw new ErrnoException(
          Errno.EINVAL, node.owner() + ": saveState wrote a page that is freed: "
              + freed.getMessage());
    }
    Saved kept =
        new Saved(
            name, driver.registration().version(), node.owner(), state, written.frames(),
            ++numbers, new WeakReference<>(driver.lease().orNull()));
    bag.states.put(node.owner(), kept);
    while (bytes() > limit) {
      Saved oldest = oldest();
      forget(saved -> saved == oldest);
      log.problem(
          "what %s saved of %s is not kept any longer: driver.kept.bytes is %d".formatted(
              oldest.driver, oldest.path, limit),
          null);
    }
  }

  private long bytes() {
    return bags.values().stream().mapToLong(Bag::bytes).sum();
  }

  private Saved oldest() {
    return bags.values().stream()
        .flatMap(bag -> bag.states.values().stream())
        .min(Comparator.comparingLong(Saved::number))
        .orElseThrow();
  }

  /** Drops what this very object saved: it still has it. */
  synchronized void returned(MmapProvider provider) {
    int unused = forget(saved -> saved.saver.refersTo(provider));
  }

  /** Whether something is kept for one of its devices. */
  synchronized boolean has(Driver driver) {
    Bag bag = bags.get(driver.registration().driver());
    return bag != null && driver.paths().stream().anyMatch(bag.states::containsKey);
  }

  /** A device's state, to be read once. */
  record Kept(StateBuffer state, PageMoves moves) {}

  /** What is kept of a device, or null; it stays kept until it is {@link #taken}. */
  synchronized @Nullable Kept find(DeviceNode node, DriverPages to) {
    Bag bag = bags.get(node.driver().registration().driver());
    Saved saved = bag == null ? null : bag.states.get(node.owner());
    return bag == null || saved == null ? null : new Kept(saved.state, bag.movesTo(to));
  }

  /** The driver has what was kept of a device; returns how many pages it read. */
  synchronized int taken(DeviceNode node, Kept kept) {
    int pages = kept.moves.complete();
    forget(saved -> saved.state == kept.state);
    return pages;
  }

  /** Frees what is kept of some devices; returns of how many. */
  private int forget(Predicate<Saved> which) {
    int count = 0;
    for (Bag bag : bags.values()) {
      int before = bag.states.size();
      bag.states.values().removeIf(which);
      count += before - bag.states.size();
      bag.prune();
    }
    bags.values().removeIf(bag -> bag.states.isEmpty());
    return count;
  }

  /**
   * Frees what is kept of a device or a driver.
   *
   * @return of how many devices
   */
  synchronized int forget(String name) {
    return forget(saved -> saved.path.equals(name) || saved.driver.equals(name));
  }

  /** Frees what a version of a driver has saved: it will not come back. */
  synchronized void forget(String driver, String version) {
    int unused = forget(saved -> saved.driver.equals(driver) && saved.version.equals(version));
  }

  /** Frees all. */
  synchronized void clear() {
    int unused = forget(Objects::nonNull);
  }

  synchronized List<KeptMemory> list() {
    List<KeptMemory> all = new ArrayList<>();
    for (Bag bag : bags.values()) {
      for (Saved saved : bag.states.values()) {
        all.add(
            new KeptMemory(
                saved.path, saved.driver, saved.version, saved.frames.size(),
                saved.state.size()));
      }
    }
    all.sort(Comparator.comparing(KeptMemory::what).thenComparing(KeptMemory::driver));
    return all;
  }
}
