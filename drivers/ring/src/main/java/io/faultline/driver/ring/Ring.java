// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.ring;

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.DeviceMemory;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * {@code /dev/ring0} to {@code /dev/ring3}: rings that processes share. The driver only lays out pages;
 * producers and consumers meet in the memory ({@link io.faultline.driver.ring.client}).
 */
@Component(name = "io.faultline.driver.ring")
@Device(name = "ring", count = Ring.DEVICES)
@Designate(ocd = RingConfig.class)
@RequireFaultline
public final class Ring implements MmapProvider, HandOver {
  static final int DEVICES = 4;

  private static final int MAX_ORDER = 10;

  private final List<RingDevice> devices;
  private volatile int order;

  /**
   * The rings that earlier versions made; others are made when they are opened.
   *
   * @throws ErrnoException as {@link DeviceMemory#region}
   */
  @Activate
  public Ring(@Reference DeviceMemory memory, RingConfig config) throws ErrnoException {
    this(memory, config.order());
  }

  /**
   * The same without Config Admin.
   *
   * @param order log2 of the number of data pages, 0 to 10
   */
  public Ring(DeviceMemory memory, int order) throws ErrnoException {
    this.order = checked(order);
    List<RingDevice> all = new ArrayList<>();
    for (int i = 0; i < DEVICES; i++) {
      all.add(new RingDevice(memory, i));
    }
    devices = List.copyOf(all);
  }

  private static int checked(int order) {
    if (order < 0 || order > MAX_ORDER) {
      throw new IllegalArgumentException("order: " + order + " is not in 0.." + MAX_ORDER);
    }
    return order;
  }

  /** Counts for a ring when it is opened next and nobody else has it open. */
  @Modified
  void modified(RingConfig config) {
    resize(config.order());
  }

  void resize(int next) {
    order = checked(next);
  }

  @Override
  public void open(OpenFile file) throws ErrnoException {
    devices.get(file.index()).opened(order);
  }

  @Override
  public void release(OpenFile file) {
    devices.get(file.index()).released();
  }

  /** The bytes that a mapping shows at that offset; nothing is consumed. */
  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return devices.get(file.index()).read(offset, target);
  }

  @Override
  public long size(OpenFile file) {
    return devices.get(file.index()).size();
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    if (!request.flags().has(VmFlag.SHARED)) {
      throw new ErrnoException(
          Errno.EINVAL, "flags: a private copy of a ring is no ring; map it with MAP_SHARED");
    }
    // Two halves that show the same must keep their distance, and a dump needs no record twice.
    request.addFlags(VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
    request.setOperations(new Operations(devices.get(file.index())));
  }

  /** Nothing is written: pages and sizes are the kernel's. But they may be others by now. */
  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    devices.get(index).find();
  }

  @Override
  public void adopt(OpenFile file) {
    devices.get(file.index()).adopted();
  }

  /** The pages are the kernel's and stay; there is nothing to count. */
  @Override
  public void adopt(Adoption area) {
    area.setOperations(new Operations(devices.get(area.index())));
  }

  private record Operations(RingDevice device) implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return device.nopage(vma.pageOffsetOf(address));
    }
  }
}
