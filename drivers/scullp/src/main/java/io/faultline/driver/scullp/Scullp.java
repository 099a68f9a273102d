// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.scullp;

import io.faultline.device.AccessMode;
import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * {@code /dev/scullp0} to {@code /dev/scullp3}: LDD3's memory devices made of pages, which can be
 * read, written and mapped (LDD3 ch. 15). Another version of it can take over, data and all. The
 * file operations are here, the areas' operations at the end, and the device itself is {@link
 * ScullpDevice}.
 */
@Component(name = "io.faultline.driver.scullp")
@Device(name = "scullp", count = Scullp.DEVICES)
@Designate(ocd = ScullpConfig.class)
@RequireFaultline
public final class Scullp implements MmapProvider, HandOver {
  static final int DEVICES = 4;

  private static final VmOperations OPERATIONS = new Operations();

  private final List<ScullpDevice> devices;
  private volatile Geometry geometry;

  /** Four empty devices. */
  @Activate
  public Scullp(@Reference PageAllocator allocator, ScullpConfig config) {
    this(allocator, Geometry.of(config));
  }

  Scullp(PageAllocator allocator, Geometry geometry) {
    this.geometry = geometry;
    devices = Stream.generate(() -> new ScullpDevice(allocator, geometry)).limit(DEVICES).toList();
  }

  /** Each device takes the new geometry when it is trimmed next, as in the book. */
  @Modified
  void modified(ScullpConfig config) {
    geometry = Geometry.of(config);
  }

  /** The kernel has unmapped all areas by now. */
  @Deactivate
  void deactivate() {
    devices.forEach(ScullpDevice::free);
  }

  @Override
  public void open(OpenFile file) {
    ScullpDevice device = devices.get(file.index());
    if (file.mode() == AccessMode.WRITE_ONLY) {
      try {
        device.trim(geometry);
      } catch (ErrnoException mapped) {
        // As in the book: the open of a device that is mapped succeeds, and its data stays.
      }
    }
    file.setPrivateData(device);
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) {
    return device(file).read(offset, target);
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    return device(file).write(offset, source);
  }

  @Override
  public long size(OpenFile file) {
    return device(file).size();
  }

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    devices.get(index).save(out);
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    devices.get(index).restore(in);
  }

  /** Not {@link #open}, which could empty the device. */
  @Override
  public void adopt(OpenFile file) {
    file.setPrivateData(devices.get(file.index()));
  }

  @Override
  public void adopt(Adoption area) throws ErrnoException {
    ScullpDevice device = devices.get(area.index());
    area.setOperations(OPERATIONS);
    area.vma().setPrivateData(device);
    device.mapped();
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    ScullpDevice device = device(file);
    request.setOperations(OPERATIONS);
    request.addFlags(VmFlag.RESERVED);
    request.setPrivateData(device);
    device.mapped();
  }

  /** How many areas map the devices. */
  int areas() {
    return devices.stream().mapToInt(ScullpDevice::vmas).sum();
  }

  private static ScullpDevice device(OpenFile file) {
    return (ScullpDevice) Objects.requireNonNull(file.privateData());
  }

  /** The areas' operations: the device is the area's private data. */
  private static final class Operations implements VmOperations {
    @Override
    public void open(Vma vma) {
      device(vma).opened();
    }

    @Override
    public void close(Vma vma) {
      device(vma).closed();
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return device(vma).nopage(vma.pageOffsetOf(address));
    }

    private static ScullpDevice device(Vma vma) {
      return (ScullpDevice) Objects.requireNonNull(vma.privateData());
    }
  }
}
