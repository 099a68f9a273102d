// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.component;

import io.faultline.core.component.PageAccounts.Owner;
import io.faultline.core.device.DeviceTable;
import io.faultline.core.device.Driver;
import io.faultline.core.device.Successor;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One driver's service on the whiteboard: it has its nodes in the device table, or waits until it
 * can have them. Thread-safe; the driver is called without any lock held.
 */
final class DriverService {
  private record Registered(DeviceRegistration registration, Driver driver) {}

  private final MmapProvider provider;
  private final Owner owner;
  private final Function<String, @Nullable Object> properties;
  private final DeviceTable devices;
  private final KernelLog log;

  // Guarded by this object's monitor.
  private @Nullable Registered registered;
  private boolean closed;
  /** The one that was unregistered last. */
  private volatile @Nullable Driver last;

  /**
   * @param owner the driver's bundle
   * @param properties the service's, as they are at the moment of asking
   */
  DriverService(
      MmapProvider provider,
      Owner owner,
      Function<String, @Nullable Object> properties,
      DeviceTable devices,
      KernelLog log) {
    this.provider = provider;
    this.owner = owner;
    this.properties = properties;
    this.devices = devices;
    this.log = log;
  }

  /** Registers the driver, or says why not. */
  void open() {
    try {
      register();
    } catch (RuntimeException e) {
      String reason = reason(e);
      if (reason.contains(" is taken by driver " + owner.symbolicName() + " ")
          && !reason.contains(owner.toString())) {
        log.info("driver " + owner + " waits for its other version: " + reason);
        return;
      }
      log.warning(
          "driver " + owner + " is not registered: " + reason
              + ". Tried again when its properties change or another driver goes");
    }
  }

  /** Registers the driver if it is not yet. */
  void retry() {
    try {
      register();
    } catch (RuntimeException stillRefused) {
      // Said when it was opened.
    }
  }

  /** The service's properties have changed. */
  void update() {
    if (!isAsWanted() && !change()) {
      unregister(false);
      open();
    }
  }

  Owner owner() {
    return owner;
  }

  /** The device's name below {@code /dev}, or null when its properties are malformed. */
  @Nullable String deviceName() {
    try {
      return DeviceProperties.read(properties, owner).name();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Whether it has its nodes. */
  synchronized boolean isRegistered() {
    return registered != null;
  }

  /** Whether its device is open or mapped. */
  synchronized boolean isInUse() {
    return registered != null && registered.driver().isInUse();
  }

  /** The next version does not have the device. */
  void drop() {
    synchronized (this) {
      closed = true;
    }
    unregister(false);
  }

  /**
   * As the successor of another service, whose nodes it is to have.
   *
   * @return null when the other has none, or this one has its own
   */
  @Nullable Successor successorOf(DriverService other) {
    Registered before;
    synchronized (other) {
      before = other.registered;
    }
    synchronized (this) {
      return before == null || registered != null || closed
          ? null
          : new Successor(
              before.driver(), DeviceProperties.read(properties, owner), provider);
    }
  }

  /** It has the other's nodes now, and the other has none. */
  void takeOver(DriverService other, Driver driver) {
    synchronized (other) {
      other.registered = null;
      other.closed = true;
    }
    boolean gone;
    synchronized (this) {
      gone = closed;
      if (!gone) {
        registered = new Registered(DeviceProperties.read(properties, owner), driver);
      }
    }
    if (gone) {
      driver.close();
    }
    log.info("driver " + owner + " has taken over " + driver.paths() + " from " + other.owner);
  }

  /** What was unregistered last, or null: to be told when its bundle will not come back. */
  @Nullable Driver left() {
    return last;
  }

  /** The service goes. Returns when its areas and files are closed and nothing refers to it. */
  void close() {
    unregister(true);
  }

  private void register() {
    DeviceRegistration wanted = DeviceProperties.read(properties, owner);
    synchronized (this) {
      if (closed || registered != null) {
        return;
      }
      registered = new Registered(wanted, devices.register(wanted, provider));
    }
    log.info("driver " + owner + " serves " + paths(wanted));
  }

  private synchronized boolean isAsWanted() {
    try {
      return registered != null
          && registered.registration().equals(DeviceProperties.read(properties, owner));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** What can be changed without anybody noticing, if it is no more than that. */
  private synchronized boolean change() {
    Registered before = registered;
    try {
      DeviceRegistration wanted = DeviceProperties.read(properties, owner);
      if (before == null || !before.driver().change(wanted)) {
        return false;
      }
      registered = new Registered(wanted, before.driver());
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void unregister(boolean forGood) {
    Registered before;
    synchronized (this) {
      closed |= forGood;
      before = registered;
      registered = null;
    }
    if (before == null) {
      return;
    }
    last = before.driver();
    if (forGood) {
      before.driver().close();
    } else {
      before.driver().discard();
    }
    log.info("driver " + owner + " no longer serves " + paths(before.registration()));
  }

  private static String reason(RuntimeException e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  private static String paths(DeviceRegistration r) {
    String first = "/dev/" + r.name();
    return r.count() == 1 ? first : first + "0 to " + first + (r.count() - 1);
  }
}
