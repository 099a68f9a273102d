// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_MIXEDMAP;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.device.Adoption;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Page;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An area that a driver is asked to take over, and what it answers. Good for one call, on the thread
 * that makes it; a call that was given up finds it closed.
 */
final class AdoptedArea implements Adoption {
  private final DeviceNode node;
  private final Area area;
  private final @Nullable Driver before;
  private final List<Install> installs = new ArrayList<>(0);
  // Guarded by this object's monitor.
  private @Nullable Thread thread;
  private @Nullable GuardedOperations operations;

  /**
   * @param before whose place the node's driver is about to take; null when nobody has it
   */
  AdoptedArea(DeviceNode node, Area area, @Nullable Driver before) {
    this.node = node;
    this.area = area;
    this.before = before;
  }

  /** The calling thread is about to call the driver. */
  synchronized void begin() {
    thread = Thread.currentThread();
  }

  private synchronized void checkOpen() {
    if (Thread.currentThread() != thread) {
      throw new IllegalStateException(
          "area: good only during adopt, and on the thread that it was called on");
    }
  }

  @Override
  public Vma vma() {
    checkOpen();
    return area;
  }

  @Override
  public int index() {
    return node.index();
  }

  @Override
  public boolean pagesLost() {
    checkOpen();
    return before == null;
  }

  @Override
  public synchronized void setOperations(VmOperations attached) {
    checkOpen();
    operations = node.guard(Objects.requireNonNull(attached, "operations"));
  }

  @Override
  public synchronized void remapPfnRange(long address, long frame, long length)
      throws ErrnoException {
    checkOpen();
    if (!area.hasAny(VM_PFNMAP)) {
      throw invalid("area: it was not mapped with remapPfnRange, and its flags cannot change");
    }
    if ((address & Mman.PAGE_SIZE - 1) != 0 || address < area.start() || address >= area.end()) {
      throw invalid("address: 0x%x is not the beginning of a page in [0x%x, 0x%x)"
          .formatted(address, area.start(), area.end()));
    }
    if (length <= 0 || length > area.end() - address) {
      throw invalid("length: 0x%x bytes from 0x%x do not lie within [0x%x, 0x%x)"
          .formatted(length, address, area.start(), area.end()));
    }
    boolean copyOnWrite = area.hasAny(VM_MAYWRITE) && !area.hasAny(VM_SHARED);
    if (copyOnWrite && area.pageOffsetOf(address) != frame) {
      throw invalid("frame: a private mapping that may be written shows frame %d there, not %d"
          .formatted(area.pageOffsetOf(address), frame));
    }
    Install install =
        new Install(address, frame, length + Mman.PAGE_SIZE - 1 >>> Mman.PAGE_SHIFT, false);
    for (Install other : installs) {
      if (other.address() < install.end() && install.address() < other.end()) {
        throw invalid("address: [0x%x, 0x%x) is mapped already, in part at least"
            .formatted(address, install.end()));
      }
    }
    BareFrames.check(node, before, frame, install.pages());
    installs.add(install);
  }

  @Override
  public synchronized void insertPage(long address, Page page) throws ErrnoException {
    checkOpen();
    if (!area.hasAny(VM_MIXEDMAP)) {
      throw invalid("area: it was not mapped with insertPage, and its flags cannot change");
    }
    ScopedPageMapper.checkAddress(area.start(), area.end(), address);
    PhysicalMemory memory = node.kernel().memory();
    Install install = new Install(address, ScopedPageMapper.checkPage(memory, page), 1, true);
    for (Install other : installs) {
      if (other.address() < install.end() && install.address() < other.end()) {
        throw new ErrnoException(
            Errno.EBUSY, "address: a page is mapped at 0x%x already".formatted(address));
      }
    }
    try {
      memory.get(install.frame());
    } catch (IllegalStateException e) {
      throw invalid("page: " + e.getMessage());
    }
    installs.add(install);
  }

  /** Drops the references of what will not be mapped. */
  static void discard(DeviceNode node, List<Install> installs) {
    for (Install install : installs) {
      if (install.counted()) {
        node.kernel().memory().put(install.frame());
      }
    }
  }

  private static ErrnoException invalid(String detail) {
    return new ErrnoException(Errno.EINVAL, detail);
  }

  /** What the driver mapped. */
  List<Install> installs() {
    return installs;
  }

  /** What the driver attached, or null. */
  synchronized @Nullable GuardedOperations close() {
    thread = null;
    return operations;
  }
}
