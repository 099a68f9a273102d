// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.BusException;
import io.faultline.core.memory.IoBus;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.IoHandler;
import io.faultline.device.IoMemory;
import io.faultline.device.IoRegion;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The physical addresses behind memory: which region has which frames, and which handler answers there.
 * A region is served by the device that mapped it, or was handed it; another device of its bundle may
 * map it only when that one is gone. A region whose bundle has let go of it goes too, once nobody waits
 * for that bundle to come back and no area of its devices is left. Thread-safe: a look-up takes no lock.
 */
public final class IoSpace implements IoBus {
  /** Memory ends, and regions begin, at different GiB: as where a PC's hole for PCI lies. */
  private static final long FIRST_ALIGNMENT = 1L << 30 - Mman.PAGE_SHIFT;

  private static final int MAX_PAGES = 1 << 20;
  private static final int MAX_NAME = 64;
  /** What a page-table entry can hold. */
  private static final long MAX_FRAME = 1L << 40;

  private final Watchdog watchdog;
  private final Predicate<String> awaited;
  /** In ascending order. Replaced whole, with this object's monitor held. */
  private volatile IoWindow[] windows = {};
  // Guarded by this object's monitor.
  private long nextFrame;

  /**
   * @param memory behind which the regions lie
   * @param watchdog where a thread notes what was refused
   * @param awaited whether a bundle, by its symbolic name, that has no driver may come back to what it
   *     left; called with this object's monitor held, takes no lock
   */
  IoSpace(PhysicalMemory memory, Watchdog watchdog, Predicate<String> awaited) {
    this.watchdog = watchdog;
    this.awaited = awaited;
    this.nextFrame = (memory.frames() + FIRST_ALIGNMENT - 1) / FIRST_ALIGNMENT * FIRST_ALIGNMENT;
  }

  /** The regions of one bundle, for one of its versions. */
  public IoMemory of(String driver, String version) {
    return new Regions(driver, version);
  }

  /** All regions, in ascending order. */
  public synchronized List<IoRegion> regions() {
    sweep();
    return List.of(windows);
  }

  /**
   * Drops regions that are nobody's any more: {@code release_region}. When a region is nobody's is a
   * matter of time too, so that all who would see it look first.
   */
  private void sweep() {
    if (Stream.of(windows).anyMatch(this::isNobodys)) {
      windows = Stream.of(windows).filter(w -> !isNobodys(w)).toArray(IoWindow[]::new);
    }
  }

  private boolean isNobodys(IoWindow window) {
    return window.handlers.isEmpty() && window.serving == null && !awaited.test(window.driver());
  }

  private final class Regions implements IoMemory {
    private final String driver;
    private final String version;

    Regions(String driver, String version) {
      this.driver = driver;
      this.version = version;
    }

    @Override
    public IoRegion region(String name, int pages, IoHandler handler) throws ErrnoException {
      return add(driver, version, name, pages, handler);
    }

    @Override
    public Set<String> regions() {
      return IoSpace.this.regions().stream()
          .filter(region -> region instanceof IoWindow window && window.driver().equals(driver))
          .map(IoRegion::name).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public void free(String name) {
      remove(driver, name);
    }
  }

  private synchronized IoRegion add(
      String driver, String version, String name, int pages, IoHandler handler)
      throws ErrnoException {
    if (pages < 1 || pages > MAX_PAGES) {
      throw new ErrnoException(
          Errno.EINVAL, "pages: " + pages + " for region " + name + "; give 1 to " + MAX_PAGES);
    }
    if (name.isBlank() || name.length() > MAX_NAME
        || name.chars().anyMatch(Character::isISOControl)) {
      throw new ErrnoException(
          Errno.EINVAL,
          "name: of " + name.length() + " characters; give 1 to " + MAX_NAME
              + " of one line of text");
    }
    Objects.requireNonNull(handler, "handler");
    sweep();
    IoWindow window = find(driver, name);
    if (window == null) {
      if (nextFrame + pages > MAX_FRAME) {
        throw new ErrnoException(
            Errno.ENOMEM, "no physical addresses are left for region " + name + " of " + driver);
      }
      window = new IoWindow(driver, name, nextFrame, pages);
      nextFrame += pages;
      IoWindow[] more = Arrays.copyOf(windows, windows.length + 1);
      more[windows.length] = window;
      windows = more;
    } else if (window.pages() != pages) {
      throw new ErrnoException(
          Errno.EINVAL,
          "pages: " + window + " has " + window.pages() + ", not " + pages
              + "; free it first, or give another name");
    }
    window.handlers.put(version, new Lease<>(handler));
    return window;
  }

  private @Nullable IoWindow find(String driver, String name) {
    for (IoWindow window : windows) {
      if (window.driver().equals(driver) && window.name().equals(name)) {
        return window;
      }
    }
    return null;
  }

  private synchronized void remove(String driver, String name) {
    IoWindow window = find(driver, name);
    if (window != null) {
      windows = Stream.of(windows).filter(w -> w != window).toArray(IoWindow[]::new);
      window.handlers.values().forEach(Lease::revoke);
      GuardedIo serving = window.serving;
      if (serving != null) {
        serving.lease().revoke();
        window.serving = null;
      }
    }
  }

  /** A version of a bundle is gone: its handlers are forgotten. */
  public synchronized void release(String driver, String version) {
    for (IoWindow window : windows) {
      Lease<IoHandler> lease =
          window.driver().equals(driver) ? window.handlers.remove(version) : null;
      if (lease != null) {
        lease.revoke();
      }
    }
  }

  // ---- who serves -------------------------------------------------------------------------------

  /**
   * Whether a device may map a frame.
   *
   * @param before whose place it is about to take, if it is
   * @throws ErrnoException EINVAL, EBUSY
   */
  synchronized void check(DeviceNode node, @Nullable Driver before, long frame)
      throws ErrnoException {
    IoWindow window = find(frame);
    String driver = node.driver().registration().driver();
    if (window == null || !window.driver().equals(driver)) {
      throw new ErrnoException(
          Errno.EINVAL, "frame: %d lies behind memory, and in no I/O region of %s".formatted(
              frame, driver));
    }
    if (!window.handlers.containsKey(node.driver().registration().version())) {
      throw new ErrnoException(
          Errno.EINVAL,
          "frame: " + window + " has no handler of " + node.driver().name()
              + "; call IoMemory.region once in each version");
    }
    GuardedIo serving = window.serving;
    if (serving != null && serving.driver() != node.driver() && serving.driver() != before
        && !serving.driver().isGone()) {
      throw new ErrnoException(
          Errno.EBUSY, "frame: " + window + " is served by " + serving.node().owner());
    }
  }

  /** A device maps a frame that it may map: it answers there from now on. */
  synchronized void claim(DeviceNode node, long frame) {
    IoWindow window = find(frame);
    GuardedIo serving = window == null ? null : window.serving;
    if (window != null && (serving == null || serving.driver() != node.driver())) {
      serve(window, node);
    }
  }

  private static void serve(IoWindow window, DeviceNode node) {
    Lease<IoHandler> lease = window.handlers.get(node.driver().registration().version());
    window.serving = lease == null ? null : new GuardedIo(node, lease, window);
  }

  /**
   * One driver has taken another one's place; no call into either is under way. What a device served that
   * there is no longer is nobody's, and mapped nowhere.
   */
  synchronized void move(Driver old, Driver next) {
    for (IoWindow window : windows) {
      GuardedIo serving = window.serving;
      if (serving != null && serving.driver() == old) {
        window.serving = null;
        for (DeviceNode node : next.nodes()) {
          if (node.owner().equals(serving.node().owner())) {
            serve(window, node);
          }
        }
        forget(window, serving);
      }
    }
  }

  /** A driver is gone. */
  synchronized void revoke(Driver driver) {
    for (IoWindow window : windows) {
      GuardedIo serving = window.serving;
      if (serving != null && serving.driver() == driver) {
        window.serving = null;
        forget(window, serving);
      }
    }
  }

  /** The device is gone, its bundle perhaps is not: its next device finds the handler under a new lease. */
  private static void forget(IoWindow window, GuardedIo served) {
    Lease<IoHandler> lease = served.lease();
    IoHandler handler = lease.orNull();
    lease.revoke();
    if (handler != null) {
      window.handlers.replaceAll((version, l) -> l == lease ? new Lease<>(handler) : l);
    }
  }

  // ---- accesses ---------------------------------------------------------------------------------

  private @Nullable IoWindow find(long frame) {
    IoWindow[] all = windows;
    int low = 0;
    int high = all.length - 1;
    while (low <= high) {
      int middle = low + high >>> 1;
      if (all[middle].has(frame)) {
        return all[middle];
      }
      if (all[middle].frame() < frame) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  @Override
  public long load(long place, int size) throws BusException {
    IoWindow window = find(place >>> Mman.PAGE_SHIFT);
    GuardedIo serving = window == null ? null : window.serving;
    if (window == null || serving == null) {
      throw nobody(window, place);
    }
    return serving.load(place - window.start(), size);
  }

  @Override
  public void store(long place, int size, long value) throws BusException {
    IoWindow window = find(place >>> Mman.PAGE_SHIFT);
    GuardedIo serving = window == null ? null : window.serving;
    if (window == null || serving == null) {
      throw nobody(window, place);
    }
    serving.store(place - window.start(), size, value);
  }

  @Override
  public long exchange(long place, int size, long expected, long value) throws BusException {
    IoWindow window = find(place >>> Mman.PAGE_SHIFT);
    GuardedIo serving = window == null ? null : window.serving;
    if (window == null || serving == null) {
      throw nobody(window, place);
    }
    return serving.exchange(place - window.start(), size, expected, value);
  }

  private BusException nobody(@Nullable IoWindow window, long place) {
    String why = window == null
        ? "no device answers at physical address 0x" + Long.toHexString(place)
        : window + ": its driver is gone";
    watchdog.slot().unanswered(why);
    return new BusException(why, window != null);
  }

  @Override
  public boolean await(long place) {
    IoWindow window = find(place >>> Mman.PAGE_SHIFT);
    GuardedIo serving = window == null ? null : window.serving;
    return serving != null && serving.await();
  }
}
