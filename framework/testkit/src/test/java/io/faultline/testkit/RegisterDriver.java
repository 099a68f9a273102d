// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.Adoption;
import io.faultline.device.HandOver;
import io.faultline.device.IoHandler;
import io.faultline.device.IoMemory;
import io.faultline.device.IoRegion;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.StateReader;
import io.faultline.device.StateWriter;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Two pages of registers. At 0 the driver's number; at 8 a counter that each load advances; at 16 one
 * word; at 24 a register that does what the test says.
 */
class RegisterDriver implements MmapProvider, HandOver, VmOperations, IoHandler {
  static final int PAGES = 2;
  static final long NUMBER = 0;
  static final long COUNTER = 8;
  static final long WORD = 16;
  static final long ACTION = 24;

  final long number;
  final IoRegion region;
  final AtomicLong counter = new AtomicLong();
  volatile long word;
  volatile LongConsumer action = value -> {
  };

  RegisterDriver(long number, IoMemory io) throws ErrnoException {
    this.number = number;
    this.region = io.region("registers", PAGES, this);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.remapPfnRange(
        request.start(), region.frame() + request.pageOffset(), request.length());
    request.setOperations(this);
  }

  @Override
  public long read(long offset, int size) {
    if (offset == NUMBER) {
      return number;
    }
    if (offset == COUNTER) {
      return counter.getAndIncrement();
    }
    if (offset == WORD) {
      return word;
    }
    if (offset == ACTION) {
      action.accept(-1);
    }
    return -1;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == WORD) {
      word = value;
    } else if (offset == ACTION) {
      action.accept(value);
    }
  }

  @Override
  public void saveState(int index, StateWriter out) throws IOException {
    out.writeLong(counter.get());
  }

  @Override
  public void restoreState(int index, int version, StateReader in)
      throws IOException, ErrnoException {
    counter.set(in.readLong());
  }

  @Override
  public void adopt(Adoption area) throws ErrnoException {
    area.setOperations(this);
    Vma vma = area.vma();
    // That of a private area is a frame's number already.
    long first = vma.has(VmFlag.SHARED) ? region.frame() : 0;
    area.remapPfnRange(vma.start(), first + vma.pageOffset(), vma.length());
  }

  /** Maps nothing up front, and hands nothing over. */
  static final class Lazy extends RegisterDriver {
    Lazy(long number, IoMemory io) throws ErrnoException {
      super(number, io);
    }

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.addFlags(VmFlag.IO, VmFlag.PFNMAP, VmFlag.DONTEXPAND, VmFlag.DONTDUMP);
      request.setOperations(this);
    }

    @Override
    public Nopage nopage(Vma vma, long address, Access access) {
      return Nopage.frame(region.frame() + vma.pageOffsetOf(address));
    }

    @Override
    public void adopt(Adoption area) {
      area.setOperations(this);
    }
  }
}
