// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import org.jspecify.annotations.Nullable;

/** A page mapper that is good for one area, one thread and one callback. */
final class ScopedPageMapper implements PageMapper, AutoCloseable {
  private final DeviceNode node;
  private final Area area;
  private final PageMapper pages;
  /** The driver's, during its call; guarded by this object's monitor. */
  private @Nullable Thread thread;
  private @Nullable CallFrame call;

  ScopedPageMapper(DeviceNode node, Area area, PageMapper pages) {
    this.node = node;
    this.area = area;
    this.pages = pages;
  }

  /** The calling thread is about to call the driver. */
  synchronized void begin() {
    thread = Thread.currentThread();
    call = node.kernel().watchdog().slot().innermost();
  }

  @Override
  public synchronized void insertPage(long address, Page page) throws ErrnoException {
    CallFrame during = call;
    boolean good =
        Thread.currentThread() == thread && during != null
            && node.kernel().watchdog().heldLocks().whileHeld(during, () -> {
              checkAddress(area.start(), area.end(), address);
              checkPage(node.kernel().memory(), page);
              pages.insertPage(address, page);
            });
    if (!good) {
      throw new IllegalStateException(
          "pages: good only during the callback, and on the thread that it was called on");
    }
  }

  static void checkAddress(long start, long end, long address) throws ErrnoException {
    if (address < start || address >= end || (address & Mman.PAGE_SIZE - 1) != 0) {
      throw new ErrnoException(
          Errno.EFAULT, "address: 0x%x is not the beginning of a page in [0x%x, 0x%x)"
              .formatted(address, start, end));
    }
  }

  static long checkPage(PhysicalMemory memory, Page page) throws ErrnoException {
    long frame = memory.frameOf(page);
    if (frame == PhysicalMemory.NONE) {
      throw new ErrnoException(
          Errno.EINVAL,
          "page: freed, or not of this kernel; use pages of the PageAllocator service");
    }
    return frame;
  }

  @Override
  public synchronized void close() {
    thread = null;
    call = null;
  }
}
