// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.mmio;

import io.faultline.device.Adoption;
import io.faultline.device.Device;
import io.faultline.device.DeviceMemory;
import io.faultline.device.HandOver;
import io.faultline.device.IoMemory;
import io.faultline.device.IoRegion;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.RequireFaultline;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * {@code /dev/edu0}: the edu device behind a page of mappings. Its registers are mapped from offset 0 on,
 * the memory of its DMA engine behind them; {@code read(2)} tells of interrupts, as UIO does.
 */
@Component
@Device(name = "edu0")
@RequireFaultline
public final class Edu implements MmapProvider, HandOver, VmOperations {
  /** 1 MiB of registers, the BAR. */
  static final int REGISTER_PAGES = 256;

  /** log2 of the pages of DMA memory. */
  static final int DMA_ORDER = 4;

  static final int PAGES = REGISTER_PAGES + (1 << DMA_ORDER);

  private static final int STOP_SECONDS = 2;

  private final ExecutorService worker;
  private final EduDevice device;
  private final IoRegion registers;
  private final long dmaFrame;

  /**
   * The device. Registers and DMA memory are the bundle's, and were there before if an earlier version
   * was.
   *
   * @throws ErrnoException ENOMEM
   */
  @Activate
  public Edu(@Reference IoMemory io, @Reference DeviceMemory memory) throws ErrnoException {
    this(
        io, memory,
        Executors.newSingleThreadExecutor(
            work -> Thread.ofPlatform().name("edu0").daemon().unstarted(work)));
  }

  Edu(IoMemory io, DeviceMemory memory, ExecutorService worker) throws ErrnoException {
    this.worker = worker;
    List<Page> dma = memory.run("edu0 dma", DMA_ORDER);
    device = new EduDevice(worker, memory.segment(dma));
    registers = io.region("edu0", REGISTER_PAGES, device);
    dmaFrame = dma.getFirst().frameNumber();
  }

  /** Ends the thread that computes and copies. */
  @Deactivate
  void deactivate() {
    device.close();
    worker.shutdownNow();
    try {
      if (!worker.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the thread of edu0 does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- files ------------------------------------------------------------------------------------

  @Override
  public void open(OpenFile file) {
    file.setPrivateData(device.interrupts());
  }

  /**
   * Four bytes: how many interrupts there were since the device was made. A file that has been told
   * already gets EAGAIN.
   */
  @Override
  public int read(OpenFile file, long offset, MemorySegment target) throws ErrnoException {
    if (target.byteSize() != Integer.BYTES) {
      throw new ErrnoException(
          Errno.EINVAL, "count: " + target.byteSize() + "; the number of interrupts has 4 bytes");
    }
    Integer now = device.interrupts();
    if (now.equals(file.privateData())) {
      throw new ErrnoException(Errno.EAGAIN, "there was no interrupt since the last read");
    }
    file.setPrivateData(now);
    target.set(ValueLayout.JAVA_INT_UNALIGNED, 0, now);
    return Integer.BYTES;
  }

  // ---- areas ------------------------------------------------------------------------------------

  /** The frame that stands for a page of the device. */
  private long frame(long page) {
    return page < REGISTER_PAGES ? registers.frame() + page : dmaFrame + page - REGISTER_PAGES;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    long first = request.pageOffset();
    long pages = request.length() >> Mman.PAGE_SHIFT;
    if (first < 0 || first > PAGES - pages) {
      throw new ErrnoException(
          Errno.EINVAL,
          "offset: pages %d to %d are not all there; the device has %d".formatted(
              first, first + pages - 1, PAGES));
    }
    long ofRegisters = Math.clamp(REGISTER_PAGES - first, 0, pages);
    if (ofRegisters > 0) {
      request.remapPfnRange(request.start(), frame(first), ofRegisters << Mman.PAGE_SHIFT);
    }
    if (ofRegisters < pages) {
      request.remapPfnRange(
          request.start() + (ofRegisters << Mman.PAGE_SHIFT), frame(first + ofRegisters),
          pages - ofRegisters << Mman.PAGE_SHIFT);
    }
    request.setOperations(this);
  }

  /** Maps again what is not there: the driver was in quarantine. */
  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    return isPrivate(vma) ? Nopage.SIGBUS : Nopage.frame(frame(vma.pageOffsetOf(address)));
  }

  /** Whether the area's page offset is a frame's number by now. */
  private static boolean isPrivate(Vma vma) {
    return !vma.has(VmFlag.SHARED) && vma.has(VmFlag.MAYWRITE);
  }

  // ---- another version --------------------------------------------------------------------------

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    device.save(out);
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    HandOver.super.restoreState(index, version, in);
    device.restore(in);
  }

  /**
   * Frames are what they were; but in an area that had no driver for a while nothing is mapped any more.
   */
  @Override
  public void adopt(Adoption area) throws ErrnoException {
    Vma vma = area.vma();
    area.setOperations(this);
    if (isPrivate(vma)) {
      area.remapPfnRange(vma.start(), vma.pageOffset(), vma.length());
    }
  }
}
