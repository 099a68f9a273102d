// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.uio;

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.HandOver;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * {@code /dev/uio0}, as {@code drivers/uio/uio.c} of Linux has it: the page offset of {@code mmap(2)}
 * selects a map, {@code read(2)} of four bytes gives the count of interrupts, {@code write(2)} of four
 * bytes masks or unmasks them.
 */
@Component(name = "io.faultline.driver.uio")
@Device(name = "uio0")
@Designate(ocd = UioConfig.class)
@RequireFaultline
public final class Uio implements MmapProvider, HandOver {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LONGEST_WAIT = 1000;

  /** Physical maps have all their pages from the start: no {@code nopage}. */
  private static final VmOperations PHYSICAL = new VmOperations() {};

  private final UioDevice device;
  private final VmOperations logical;
  private volatile int waitMillis;

  /** The driver of a device. */
  @Activate
  public Uio(@Reference UioDevice device, UioConfig config) {
    this(device, config.wait_millis());
  }

  Uio(UioDevice device, int waitMillis) {
    this.device = device;
    this.logical = new Logical(device);
    this.waitMillis = checked(waitMillis);
  }

  private static int checked(int millis) {
    if (millis < 0 || millis > LONGEST_WAIT) {
      throw new IllegalArgumentException(
          "wait.millis: " + millis + " is not in 0.." + LONGEST_WAIT);
    }
    return millis;
  }

  /** Counts for the next read. */
  @Modified
  void modified(UioConfig config) {
    waitMillis = checked(config.wait_millis());
  }

  /** Interrupts that came before are not news: the file remembers the count ({@code uio_listener}). */
  @Override
  public void open(OpenFile file) {
    file.setPrivateData(new int[] {device.interrupts().count()});
  }

  @Override
  public int read(OpenFile file, long offset, MemorySegment target) throws ErrnoException {
    checkLength(target);
    if (!(file.privateData() instanceof int[] listener)) {
      throw new ErrnoException(Errno.EIO, "fd: was not opened by this driver");
    }
    int count = device.interrupts().await(listener[0], waitMillis);
    if (count == listener[0]) {
      throw new ErrnoException(
          Errno.EAGAIN, "read: no interrupt came since the last one that was read: " + count);
    }
    listener[0] = count;
    target.set(INT, 0, count);
    return Integer.BYTES;
  }

  @Override
  public int write(OpenFile file, long offset, MemorySegment source) throws ErrnoException {
    checkLength(source);
    device.interrupts().control(source.get(INT, 0) != 0);
    return Integer.BYTES;
  }

  private static void checkLength(MemorySegment bytes) throws ErrnoException {
    if (bytes.byteSize() != Integer.BYTES) {
      throw new ErrnoException(
          Errno.EINVAL, "count: " + bytes.byteSize() + "; give 4, the length of a count");
    }
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    int index = device.index(request.pageOffset());
    if (index < 0) {
      throw new ErrnoException(
          Errno.EINVAL,
          "offset: there is no map " + request.pageOffset()
              + "; the offset in pages is the number of"
              + " a map, 0 to " + (device.maps().size() - 1));
    }
    UioMap map = device.maps().get(index);
    if (request.length() >>> Mman.PAGE_SHIFT > map.mappablePages()) {
      throw tooLong(index, map);
    }
    switch (map.type()) {
      case LOGICAL -> {
        request.addFlags(VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
        request.setOperations(logical);
      }
      case PHYSICAL -> mapPhysical(index, map, request);
    }
  }

  private static void mapPhysical(int index, UioMap map, MmapRequest request)
      throws ErrnoException {
    if (!map.isAligned()) {
      throw new ErrnoException(
          Errno.ENODEV, "offset: map " + index + " does not begin with a page, but at 0x"
              + Long.toHexString(map.address()));
    }
    // As in Linux: here the size counts as it is, so that the rest of a last page cannot be mapped.
    if (request.length() > map.size()) {
      throw tooLong(index, map);
    }
    request.setOperations(PHYSICAL);
    request.setPrivateData(index);
    request.remapPfnRange(request.start(), map.frame(), request.length());
  }

  private static ErrnoException tooLong(int index, UioMap map) {
    return new ErrnoException(
        Errno.EINVAL,
        "length: map " + index + ", " + map.name() + ", has 0x" + Long.toHexString(map.size())
            + " bytes");
  }

  /**
   * What it has read is the file's private data, which the kernel keeps. Who finds another driver's file
   * does not know: the last interrupt is told again rather than lost.
   */
  @Override
  public void adopt(OpenFile file) {
    if (!(file.privateData() instanceof int[])) {
      int count = device.interrupts().count();
      file.setPrivateData(new int[] {count == 0 ? 0 : count - 1});
    }
  }

  /**
   * Frames stay mapped in an upgrade, and are mapped again after a gap or a quarantine. Which map an area
   * shows is its private data: the offset of a part that was split off names another.
   */
  @Override
  public void adopt(Adoption area) throws ErrnoException {
    Vma vma = area.vma();
    boolean physical = vma.has(VmFlag.PFNMAP);
    if (physical && area.pagesLost()) {
      area.remapPfnRange(vma.start(), shownFrame(vma), vma.length());
    } else if (physical && vma.privateData() == null) {
      throw noFrames();
    }
    area.setOperations(physical ? PHYSICAL : logical);
  }

  /** The first frame that an area of a physical map has shown. */
  private long shownFrame(Vma vma) throws ErrnoException {
    if (!vma.has(VmFlag.SHARED) && vma.has(VmFlag.MAYWRITE)) {
      return vma.pageOffset();
    }
    if (vma.privateData() instanceof Integer index && device.index(index) == index) {
      UioMap map = device.maps().get(index);
      long page = vma.pageOffset() - index;
      if (page >= 0 && vma.length() <= map.size() - (page << Mman.PAGE_SHIFT)) {
        return map.frame() + page;
      }
    }
    throw noFrames();
  }

  private static ErrnoException noFrames() {
    return new ErrnoException(
        Errno.ENXIO,
        "adopt: the frames of a physical map are mapped by mmap alone; map it again");
  }

  /**
   * {@code uio_vma_fault}. It asks the <em>area's</em> offset for the map, each time: where an area was
   * split the second part's offset has moved on, and names another map.
   */
  private record Logical(UioDevice device) implements VmOperations {
    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      int index = device.index(vma.pageOffset());
      if (index < 0) {
        return Nopage.SIGBUS;
      }
      UioMap map = device.maps().get(index);
      long page = vma.pageOffsetOf(address) - index;
      // Linux looks at neither, and takes what it finds there for memory of the device.
      if (map.type() != UioMap.Type.LOGICAL || page >= map.pages().size()) {
        return Nopage.SIGBUS;
      }
      return Nopage.minor(map.pages().get((int) page).get());
    }
  }
}
