// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.VmOperations;
import java.util.ArrayList;
import java.util.List;

/**
 * A registered driver: its nodes and the lease on its {@link MmapProvider}. After {@link #close} it
 * refers to no object of the driver's. Thread-safe.
 */
public final class Driver implements AutoCloseable {
  private enum Phase {
    SERVING,
    /** Being unregistered: only {@code open} and {@code close} of areas and {@code release}. */
    LEAVING,
    GONE
  }

  /** Operations that have nothing, for an area whose driver attached none. */
  private static final VmOperations NO_OPERATIONS = new VmOperations() {};

  private final DeviceTable table;
  private final DeviceRegistration registration;
  private final long generation;
  private final Overrides overrides;
  private final Lease<MmapProvider> lease;
  private final List<DeviceNode> nodes = new ArrayList<>();
  private volatile Phase phase = Phase.SERVING;

  Driver(
      DeviceTable table, DeviceRegistration registration, long generation, MmapProvider provider) {
    this.table = table;
    this.registration = registration;
    this.generation = generation;
    this.overrides = Overrides.of(provider);
    this.lease = new Lease<>(provider);
  }

  /** What it was registered with, the major number filled in. */
  public DeviceRegistration registration() {
    return registration;
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

  /** Whether an area maps a file of this driver's or has operations of it. */
  public boolean owns(Area area) {
    return area.mappedFile() instanceof OpenFileObject file && file.node().driver() == this
        || area.operations() instanceof GuardedOperations guard && guard.node().driver() == this;
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

  /** Unregisters the driver; see {@link DeviceTable#unregister}. A second call does nothing. */
  @Override
  public void close() {
    table.unregister(this);
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
    return p == Phase.SERVING || whileLeaving && p == Phase.LEAVING;
  }

  boolean isGone() {
    return phase == Phase.GONE;
  }

  /** Begins to leave; the caller holds the table's monitor. False when it does already. */
  boolean leave() {
    if (phase != Phase.SERVING) {
      return false;
    }
    phase = Phase.LEAVING;
    return true;
  }

  void fileClosed(DeviceNode node) {
    table.fileClosed(node);
  }

  void revoke() {
    phase = Phase.GONE;
    lease.revoke();
    nodes.forEach(DeviceNode::revoke);
  }

  @Override
  public String toString() {
    return name() + " " + paths() + " generation " + generation;
  }
}
