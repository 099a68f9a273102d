// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.IoHandler;
import io.faultline.device.IoRegion;
import io.faultline.mm.Mman;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A region of I/O frames, the handlers that a driver's versions gave for it, and the one that answers. */
final class IoWindow implements IoRegion {
  private final String driver;
  private final String name;
  private final long frame;
  private final int pages;

  private final RegionLock lock = new RegionLock();

  /** By version; empty when no version of the bundle has the region. Guarded by the {@link IoSpace}. */
  final Map<String, Lease<IoHandler>> handlers = new HashMap<>();

  /** Null as long as nobody has mapped it, and after its driver went. Written by the IoSpace alone. */
  volatile @Nullable GuardedIo serving;

  IoWindow(String driver, String name, long frame, int pages) {
    this.driver = driver;
    this.name = name;
    this.frame = frame;
    this.pages = pages;
  }

  /** Symbolic name of the bundle that it belongs to. */
  String driver() {
    return driver;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long frame() {
    return frame;
  }

  @Override
  public int pages() {
    return pages;
  }

  RegionLock lock() {
    return lock;
  }

  boolean has(long number) {
    return number >= frame && number - frame < pages;
  }

  /** Its first byte's physical address. */
  long start() {
    return frame << Mman.PAGE_SHIFT;
  }

  @Override
  public String toString() {
    return "I/O region " + name + " of " + driver;
  }
}
