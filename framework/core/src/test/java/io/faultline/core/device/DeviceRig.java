// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.DriverPages;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A device table on real memory with a ticking watchdog; areas are made by hand. */
final class DeviceRig implements AutoCloseable {
  static final long START = 0x7f00_0000_0000L;
  /** For drivers that hang: long enough for a busy machine, short enough to wait for. */
  static final int LIMIT_MILLIS = 1000;
  /** For all others: a machine that stands still for a moment is no driver's fault. */
  private static final int PATIENT_MILLIS = 600_000;

  final PhysicalMemory memory = new PhysicalMemory(256L * 4096);
  final DriverPages pages = new DriverPages(memory, "test");
  final Watchdog watchdog = new Watchdog();
  final Tracer tracer = new Tracer();
  final List<String> log = new CopyOnWriteArrayList<>();
  final DeviceTable table = new DeviceTable(
      memory, watchdog, tracer, (message, trace) -> log.add(message), r -> pages.allocated());
  private final ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor();

  private int limitMillis = PATIENT_MILLIS;

  DeviceRig() {
    var unused = ticks.scheduleAtFixedRate(watchdog, 5, 5, TimeUnit.MILLISECONDS);
  }

  /**
   * @param millis of the drivers that {@link #mapped} makes from now on
   */
  void limit(int millis) {
    limitMillis = millis;
  }

  /** Waits for a line: the watchdog logs after it has interrupted a call. */
  void awaitLog() {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (log.isEmpty() && System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
  }

  static DeviceRegistration named(String name) {
    return new DeviceRegistration(name, 0, 0, 1, PATIENT_MILLIS, "test." + name, "1.2.3");
  }

  /** A registration with this rig's limit. */
  DeviceRegistration hasty(String name) {
    return named(name).withTimeoutMillis(limitMillis);
  }

  DeviceInfo info(String name) {
    return table.find("/dev/" + name).orElseThrow();
  }

  /** A driver whose mmap attaches the operations. */
  static MmapProvider mapping(VmOperations operations) {
    return new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) {
        request.setOperations(operations);
      }
    };
  }

  MmapRequestObject request(int pageCount, VmFlag... flags) {
    return new MmapRequestObject(
        7, START, START + pageCount * 4096L, 0, VmFlags.of(flags).bits(), memory, bytes -> {
        });
  }

  MmapRequestObject request(int pageCount) {
    return request(
        pageCount, VmFlag.READ, VmFlag.WRITE, VmFlag.MAYREAD, VmFlag.MAYWRITE, VmFlag.SHARED,
        VmFlag.MAYSHARE);
  }

  /** What core.mm does in mmap(2). */
  Area map(OpenFileObject file, int pageCount) throws ErrnoException {
    MmapRequestObject request = request(pageCount);
    file.mmap(request);
    Area area = new Area(
        7, request.start(), request.end(), request.pageOffset(), request.flagBits(), null);
    file.get();
    area.setFile(file);
    area.setOperations(request.operations());
    area.setPrivateData(request.privateData());
    return area;
  }

  /** Registers a driver with these operations, opens it and maps four pages. */
  Area mapped(String name, VmOperations operations) throws ErrnoException {
    Driver unused = table.register(hasty(name), mapping(operations));
    return map(open(name), 4);
  }

  OpenFileObject open(String name) throws ErrnoException {
    return table.open("/dev/" + name, AccessMode.READ_WRITE, false);
  }

  static AreaOperations operations(Area area) {
    AreaOperations operations = area.operations();
    if (operations == null) {
      throw new AssertionError("the area has no operations");
    }
    return operations;
  }

  @Override
  public void close() {
    ticks.shutdownNow();
    memory.validate();
    memory.close();
  }
}
