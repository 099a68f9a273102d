// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.Parking;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.UnplugPolicy;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmOperations;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A registered driver: its nodes and the lease on its {@link MmapProvider}. After {@link #close} it
 * refers to no object of the driver's. Thread-safe.
 */
public final class Driver implements AutoCloseable, Parking {
  private enum Phase {
    SERVING,
    /** Another driver may take its place: calls of {@code file_operations} wait. */
    EXCHANGING,
    /** It has failed too often: as {@link #LEAVING}, until it is brought back. */
    QUARANTINED,
    /** Being unregistered: only {@code open} and {@code close} of areas and {@code release}. */
    LEAVING,
    GONE
  }

  /** So long a parked access waits at most before it looks again. */
  private static final long PAUSE_MILLIS = 50;

  /** Operations that have nothing, for an area whose driver attached none. */
  private static final VmOperations NO_OPERATIONS = new VmOperations() {};

  private final DeviceTable table;
  private volatile DeviceRegistration registration;
  private final long generation;
  private final Overrides overrides;
  private final Lease<MmapProvider> lease;
  private final List<DeviceNode> nodes = new ArrayList<>();
  private final boolean handsOver;
  /** Errors since the driver came, or was brought back. */
  private final AtomicLong errors = new AtomicLong();
  // Written with this object's monitor held, which is notified then.
  private volatile Phase phase = Phase.SERVING;
  /** Until when accesses wait for the driver to come back, by {@link System#nanoTime}. */
  private volatile long gapEnd;
  private volatile boolean hasGap;
  /** A call into it was given up while it was on its way out: it is called no more. */
  private volatile boolean deaf;

  Driver(
      DeviceTable table, DeviceRegistration registration, long generation, MmapProvider provider) {
    this.table = table;
    this.registration = registration;
    this.generation = generation;
    this.overrides = Overrides.of(provider);
    this.lease = new Lease<>(provider);
    this.handsOver = provider instanceof HandOver;
  }

  /** What it was registered with, the major number filled in. */
  public DeviceRegistration registration() {
    return registration;
  }

  /**
   * Changes its time limit, its policy and its nodes' mode.
   *
   * @return false when the registration asks for something else that is another
   */
  public boolean change(DeviceRegistration wanted) {
    DeviceRegistration now = registration;
    DeviceRegistration changed =
        new DeviceRegistration(
            now.name(), now.major(), now.minor(), now.count(), wanted.timeoutMillis(),
            now.driver(), now.version(), wanted.unplug(), wanted.mode());
    boolean majorGiven = wanted.major() != 0;
    if (wanted.timeoutMillis() < 1
        || !changed.equals(majorGiven ? wanted : wanted.withMajor(now.major()))) {
      return false;
    }
    registration = changed;
    return true;
  }

  /** Its symbolic name and version, for messages. */
  public String name() {
    return registration.version().isEmpty()
        ? registration.driver()
        : registration.driver() + " " + registration.version();
  }

  /** Goes up with every driver that is registered: tells one life of a device from the next. */
  public long generation() {
    return generation;
  }

  /** Whether it answers calls: false from the beginning of {@link #close} on. */
  public boolean isPresent() {
    return phase == Phase.SERVING;
  }

  /** The paths of its nodes, in the order of their minor numbers. */
  public List<String> paths() {
    return nodes.stream().map(DeviceNode::owner).toList();
  }

  /** Whether a node of it is open, or mapped. */
  public boolean isInUse() {
    return nodes.stream().anyMatch(node -> !node.files().isEmpty());
  }

  /** Whether an area maps a file of this driver's or has operations of it. */
  public boolean owns(Area area) {
    return area.mappedFile() instanceof OpenFileObject file && file.node().driver() == this
        || area.operations() instanceof GuardedOperations guard && guard.node().driver() == this;
  }

  /** Whether an area has operations of this driver, and they would be called. */
  boolean serves(Area area) {
    return area.operations() instanceof GuardedOperations guard && guard.node().driver() == this
        && guard != guard.node().goneOperations();
  }

  /** The node of an area that it {@link #owns}. */
  DeviceNode nodeOf(Area area) {
    if (area.operations() instanceof GuardedOperations guard && guard.node().driver() == this) {
      return guard.node();
    }
    return area.mappedFile() instanceof OpenFileObject file && file.node().driver() == this
        ? file.node()
        : nodes.getFirst();
  }

  /** Its node of a path that is one of its {@link #paths}. */
  DeviceNode nodeOf(String path) {
    return nodes.stream().filter(node -> node.owner().equals(path)).findFirst().orElseThrow();
  }

  /**
   * What an area of this driver's gets in the place of its operations once the driver has closed it:
   * every fault is refused, saying that the driver is gone, and no method is called again.
   */
  public AreaOperations goneOperations(Area area) {
    DeviceNode node = nodes.getFirst();
    if (area.mappedFile() instanceof OpenFileObject file && file.node().driver() == this) {
      node = file.node();
    } else if (area.operations() instanceof GuardedOperations guard
        && guard.node().driver() == this) {
      node = guard.node();
    }
    return node.goneOperations();
  }

  /**
   * Unregisters the driver; see {@link DeviceTable#unregister}. What it saves is kept for one that comes
   * back. A second call does nothing.
   */
  @Override
  public void close() {
    table.unregister(this, true);
  }

  /** As {@link #close}, and nothing is kept. */
  public void discard() {
    table.unregister(this, false);
  }

  List<DeviceNode> nodes() {
    return nodes;
  }

  Lease<MmapProvider> lease() {
    return lease;
  }

  Overrides overrides() {
    return overrides;
  }

  static VmOperations noOperations() {
    return NO_OPERATIONS;
  }

  boolean admits(boolean whileLeaving) {
    Phase p = phase;
    return p == Phase.SERVING
        || whileLeaving && (p == Phase.EXCHANGING || p != Phase.GONE && !deaf);
  }

  /**
   * A caller has left a call that did not end. In quarantine, or while it leaves, a driver is still told
   * what goes, area by area and file by file; one that does not return from that is not told the rest:
   * each would cost a thread, and its caller seconds.
   */
  void lostCall() {
    Phase p = phase;
    if (p == Phase.QUARANTINED || p == Phase.LEAVING) {
      deaf = true;
    }
  }

  /** Whether it implements {@link HandOver}. */
  boolean handsOver() {
    return handsOver;
  }

  DeviceInfo.State state() {
    return switch (phase) {
      case SERVING -> DeviceInfo.State.SERVING;
      case EXCHANGING, LEAVING -> DeviceInfo.State.CHANGING;
      case QUARANTINED -> DeviceInfo.State.QUARANTINED;
      case GONE -> DeviceInfo.State.GONE;
    };
  }

  boolean isExchanging() {
    return phase == Phase.EXCHANGING;
  }

  /** Begins an exchange; null when it is being removed, else the way back. */
  synchronized @Nullable Runnable beginExchange() {
    Phase before = phase;
    if (before != Phase.SERVING && before != Phase.QUARANTINED) {
      return null;
    }
    change(Phase.EXCHANGING);
    return () -> change(before);
  }

  /** Before it is in the table: its calls wait until it has what its predecessor left. */
  synchronized void beginTakeOver() {
    change(Phase.EXCHANGING);
  }

  void endTakeOver() {
    change(Phase.SERVING);
  }

  private synchronized void change(Phase next) {
    phase = next;
    notifyAll();
  }

  /** Another driver has its place: from now on it is gone. */
  void replaced() {
    lease.revoke();
    change(Phase.GONE);
  }

  /**
   * Waits for the end of an exchange.
   *
   * @param always also when the thread is interrupted
   * @throws ErrnoException EINTR
   */
  void awaitExchange(boolean always) throws ErrnoException {
    if (awaitExchangeEnd(always) && !always) {
      throw new ErrnoException(Errno.EINTR, "the wait for the driver was interrupted");
    }
  }

  /** As {@link #awaitExchange}; whether the thread was interrupted. */
  boolean awaitExchangeEnd(boolean always) {
    boolean interrupted = false;
    synchronized (this) {
      while (phase == Phase.EXCHANGING && (always || !interrupted)) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return interrupted;
  }

  /** Whether an access that finds no driver is to wait. */
  boolean parks() {
    return switch (phase) {
      case SERVING, EXCHANGING -> true;
      case QUARANTINED -> registration.unplug() == UnplugPolicy.WAIT;
      case LEAVING -> hasGap || registration.unplug() == UnplugPolicy.WAIT;
      case GONE -> isInGap() || registration.unplug() == UnplugPolicy.WAIT;
    };
  }

  /** Whether accesses wait for it to come back, for a while. */
  public boolean isInGap() {
    return hasGap && System.nanoTime() - gapEnd < 0;
  }

  /** Whether an access that finds no driver, and does not wait, gets a page of zeros. */
  boolean suppliesZeros() {
    return registration.unplug() == UnplugPolicy.ZERO;
  }

  boolean hasGap() {
    return hasGap;
  }

  /** Lets accesses wait for so long once the driver is gone. */
  void openGap(long millis) {
    gapEnd = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    hasGap = millis > 0;
  }

  /** Accesses wait no more; {@link UnplugPolicy} answers. */
  public synchronized void endGap() {
    hasGap = false;
    notifyAll();
  }

  /** Something has changed for those that wait. */
  synchronized void awake() {
    notifyAll();
  }

  @Override
  public boolean pause() {
    synchronized (this) {
      if (!parks() || phase == Phase.SERVING) {
        return !Thread.currentThread().isInterrupted();
      }
      try {
        wait(PAUSE_MILLIS);
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  /** One error more; true when it is one too many and the driver is in quarantine from now on. */
  boolean countError(long budget) {
    long count = errors.incrementAndGet();
    if (budget <= 0 || count <= budget) {
      return false;
    }
    return quarantine();
  }

  /** Puts it in quarantine; false when it does not serve. */
  synchronized boolean quarantine() {
    if (phase != Phase.SERVING) {
      return false;
    }
    change(Phase.QUARANTINED);
    return true;
  }

  boolean isQuarantined() {
    return phase == Phase.QUARANTINED;
  }

  /** Begins to bring it back from quarantine; false when it is in none. */
  synchronized boolean beginRestore() {
    if (phase != Phase.QUARANTINED) {
      return false;
    }
    change(Phase.EXCHANGING);
    return true;
  }

  /** It serves again; errors are counted from 0. */
  synchronized void endRestore() {
    errors.set(0);
    deaf = false;
    change(Phase.SERVING);
  }

  boolean isGone() {
    return phase == Phase.GONE;
  }

  /**
   * Begins to leave; the caller holds {@link DeviceNodes}' monitor. False when it does already.
   *
   * @param gapMillis how long accesses wait for it to come back
   */
  synchronized boolean leave(long gapMillis) {
    if (phase != Phase.SERVING && phase != Phase.QUARANTINED) {
      return false;
    }
    // First: who sees that it leaves asks whether to wait.
    openGap(gapMillis);
    change(Phase.LEAVING);
    return true;
  }

  void fileClosed(DeviceNode node) {
    table.fileClosed(node);
  }

  void revoke() {
    lease.revoke();
    change(Phase.GONE);
    nodes.forEach(DeviceNode::revoke);
  }

  @Override
  public String toString() {
    return name() + " " + paths() + " generation " + generation;
  }
}
