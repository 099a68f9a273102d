// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.area.VmBits.VM_MAYWRITE;
import static io.faultline.core.area.VmBits.VM_PFNMAP;
import static io.faultline.core.area.VmBits.VM_SHARED;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.area.Parking;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import io.faultline.mm.VmOperations;
import org.jspecify.annotations.Nullable;

/**
 * A driver's operations behind their guard. {@code nopage} takes no lock and allocates nothing as
 * long as the driver behaves. Thread-safe.
 */
final class GuardedOperations implements AreaOperations {
  private final DeviceNode node;
  private final Lease<VmOperations> lease;
  private final boolean open;
  private final boolean close;
  private final boolean nopage;
  private final boolean populate;
  private final boolean mapPages;
  private final boolean pageMkwrite;
  private final boolean maySplit;
  private final boolean mremap;
  private final boolean mprotect;
  private final boolean name;

  GuardedOperations(DeviceNode node, VmOperations operations, Overrides overrides) {
    this(node, operations, overrides, overrides.has("nopage"));
  }

  private GuardedOperations(
      DeviceNode node, VmOperations operations, Overrides overrides, boolean nopage) {
    this.node = node;
    this.lease = new Lease<>(operations);
    this.open = overrides.has("open");
    this.close = overrides.has("close");
    this.nopage = nopage;
    this.populate = overrides.has("populate");
    this.mapPages = overrides.has("mapPages");
    this.pageMkwrite = overrides.has("pageMkwrite");
    this.maySplit = overrides.has("maySplit");
    this.mremap = overrides.has("mremap");
    this.mprotect = overrides.has("mprotect");
    this.name = overrides.has("name");
  }

  /** Operations of a driver that is gone: a {@code nopage} that says so, and nothing else. */
  static GuardedOperations gone(DeviceNode node) {
    VmOperations none = Driver.noOperations();
    GuardedOperations guard = new GuardedOperations(node, none, Overrides.of(none), true);
    guard.revoke();
    return guard;
  }

  DeviceNode node() {
    return node;
  }

  void revoke() {
    lease.revoke();
  }

  @Override
  public boolean hasOpen() {
    return open;
  }

  @Override
  public boolean hasClose() {
    return close;
  }

  @Override
  public boolean hasNopage() {
    return nopage;
  }

  @Override
  public boolean hasPopulate() {
    return populate;
  }

  @Override
  public boolean hasMapPages() {
    return mapPages;
  }

  @Override
  public boolean hasPageMkwrite() {
    return pageMkwrite;
  }

  @Override
  public boolean hasMaySplit() {
    return maySplit;
  }

  @Override
  public boolean hasMremap() {
    return mremap;
  }

  @Override
  public boolean hasMprotect() {
    return mprotect;
  }

  @Override
  public void open(Area area) {
    trace(TraceEvent.Kind.OPEN, area, area.start(), area.end(), "open");
    try {
      node.call(lease, "open", true, Errno.ENODEV, operations -> {
        operations.open(area);
        return null;
      });
    } catch (ErrnoException e) {
      // Counted and logged; an open cannot be refused.
    }
  }

  @Override
  public void close(Area area) {
    trace(TraceEvent.Kind.CLOSE, area, area.start(), area.end(), "close");
    try {
      node.call(lease, "close", true, Errno.ENODEV, operations -> {
        operations.close(area);
        return null;
      });
    } catch (ErrnoException e) {
      // Counted and logged; a close cannot be refused.
    }
  }

  @Override
  public Nopage nopage(Area area, long address, Access access) {
    CallSlot slot = node.kernel().watchdog().slot();
    if (!slot.held().isWriting()) {
      return nopage(slot, area, address, access);
    }
    // Pages that a system call faults in while it changes the areas.
    try {
      return node.kernel().watchdog().aside().run(
          slot, caller -> new ErrnoException(Errno.ETIMEDOUT, node.lateText(caller, "nopage")),
          () -> nopage(node.kernel().watchdog().slot(), area, address, access));
    } catch (ErrnoException givenUp) {
      return Nopage.SIGBUS;
    }
  }

  private Nopage nopage(CallSlot slot, Area area, long address, Access access) {
    boolean traced = node.kernel().tracer().enabled();
    CallFrame frame = slot.enter(node, "nopage", traced);
    if (frame == null) {
      String unused = node.tooDeep(slot, "nopage");
      return Nopage.SIGBUS;
    }
    boolean called = false;
    boolean outOfMemory = false;
    Nopage answer = null;
    String thrown = null;
    String trace = null;
    boolean late;
    try {
      VmOperations operations = node.driver().admits(false) ? lease.orNull() : null;
      if (operations != null) {
        called = true;
        answer = operations.nopage(area, address, access);
      }
    } catch (OutOfMemoryError e) {
      outOfMemory = true;
      thrown = "java.lang.OutOfMemoryError";
    } catch (Throwable t) {
      thrown = Failures.line(t);
      trace = Failures.trace(t);
      DeviceNode.keepInterrupt(t);
    } finally {
      late = ended(slot, frame, answer);
    }
    if (called) {
      node.countFault();
    }
    Nopage result = answer != null && !late
        ? accepted(slot, area, answer, address)
        : refused(slot, called, late, answer, thrown, trace);
    if (!called && !late && zeros()) {
      result = zeroPage();
    }
    if (outOfMemory && !late) {
      result = Nopage.OOM;
    }
    if (traced) {
      trace(TraceEvent.Kind.NOPAGE, area, address, address, access + ": " + result);
    }
    return result;
  }

  private boolean ended(CallSlot slot, CallFrame frame, @Nullable Nopage answer) {
    try {
      return slot.exit(frame, node);
    } catch (AbandonedCallError tooLate) {
      drop(answer);
      throw tooLate;
    }
  }

  /** The driver answered in time. */
  private Nopage accepted(CallSlot slot, Area area, Nopage answer, long address) {
    Page page = answer.page();
    if (page == null && answer.frame() >= 0) {
      return acceptedFrame(slot, area, answer);
    }
    if (page == null) {
      if (answer == Nopage.SIGBUS) {
        slot.refusedPage(node.owner(), address);
      } else {
        slot.refused(node.owner() + ": nopage is out of memory");
      }
      return answer;
    }
    if (node.kernel().memory().accept(page) == PhysicalMemory.NONE) {
      String unused = node.failed(slot, "nopage", "it returned " + unusable(page), null);
      return Nopage.SIGBUS;
    }
    return answer;
  }

  /** The driver answered with a frame's number. */
  private Nopage acceptedFrame(CallSlot slot, Area area, Nopage answer) {
    String wrong = null;
    if (!area.hasAny(VM_PFNMAP)) {
      wrong = "in an area that has no PFNMAP; call request.addFlags(VmFlag.PFNMAP) in mmap";
    } else if (area.hasAny(VM_MAYWRITE) && !area.hasAny(VM_SHARED)) {
      wrong = "in a private area that may be written; use remapPfnRange";
    } else {
      try {
        BareFrames.check(node, null, answer.frame(), 1);
      } catch (ErrnoException e) {
        wrong = String.valueOf(e.getMessage());
      }
    }
    if (wrong != null) {
      String unused = node.failed(
          slot, "nopage", "it returned frame " + answer.frame() + ": " + wrong, null);
      return Nopage.SIGBUS;
    }
    BareFrames.claim(node, answer.frame(), 1);
    return answer;
  }

  /** Whether pages of zeros stand for those of a driver that is not there. */
  private boolean zeros() {
    return node.driver().suppliesZeros() && !node.driver().parks();
  }

  private Nopage zeroPage() {
    PhysicalMemory memory = node.kernel().memory();
    long frame = memory.allocate(FrameUse.DRIVER);
    return frame == PhysicalMemory.NONE ? Nopage.OOM : Nopage.minor(memory.lend(frame));
  }

  @Override
  public @Nullable Parking parking() {
    Driver driver = node.driver();
    return node.kernel().watchdog().slot().wasAbsent() && driver.parks() ? driver : null;
  }

  private String unusable(Page page) {
    return node.kernel().memory().frameOf(page) == PhysicalMemory.NONE
        ? "a page that is freed or not of this kernel; return pages of the PageAllocator service"
        : "a page without a reference for the kernel; call page.get() before returning it";
  }

  private Nopage refused(
      CallSlot slot, boolean called, boolean late, @Nullable Nopage answer,
      @Nullable String thrown, @Nullable String trace) {
    String unused;
    if (late) {
      drop(answer);
      unused = node.lateText(slot, "nopage");
    } else if (!called) {
      unused = node.gone(slot, "nopage");
    } else if (thrown != null) {
      unused = node.failed(slot, "nopage", thrown, trace);
    } else {
      unused = node.failed(
          slot, "nopage", "it returned null; return Nopage.SIGBUS where there is no page", null);
    }
    return Nopage.SIGBUS;
  }

  /** Puts the reference of a page that came too late. */
  private void drop(@Nullable Nopage answer) {
    Page page = answer == null ? null : answer.page();
    if (page != null) {
      long frame = node.kernel().memory().accept(page);
      if (frame != PhysicalMemory.NONE) {
        node.kernel().memory().put(frame);
      }
    }
  }

  @Override
  public void populate(
      Area area, long address, long length, Protection protection, long pageOffset,
      boolean nonblock, PageMapper pages)
      throws ErrnoException {
    trace(TraceEvent.Kind.POPULATE, area, address, address + length, "populate");
    try (ScopedPageMapper scoped = new ScopedPageMapper(node, area, pages)) {
      node.call(lease, "populate", false, Errno.EFAULT, operations -> {
        scoped.begin();
        operations.populate(area, address, length, protection, pageOffset, nonblock, scoped);
        return null;
      });
    }
  }

  @Override
  public void mapPages(Area area, long firstPage, long lastPage, PageMapper pages) {
    try (ScopedPageMapper scoped = new ScopedPageMapper(node, area, pages)) {
      node.call(lease, "mapPages", false, Errno.EFAULT, operations -> {
        scoped.begin();
        operations.mapPages(area, firstPage, lastPage, scoped);
        return null;
      });
    } catch (ErrnoException e) {
      // Mapping around is a favour; nopage answers for the page itself.
    }
  }

  @Override
  public boolean pageMkwrite(Area area, long address, Page page) {
    Nopage answer;
    try {
      answer = node.<VmOperations, @Nullable Nopage>call(
          lease, "pageMkwrite", false, Errno.EFAULT,
          operations -> operations.pageMkwrite(area, address, page));
    } catch (ErrnoException e) {
      return node.kernel().watchdog().slot().wasAbsent() && zeros();
    }
    CallSlot slot = node.kernel().watchdog().slot();
    if (answer == null) {
      String unused = node.failed(
          slot, "pageMkwrite", "it returned null; return Nopage.SIGBUS or Nopage.minor(page)",
          null);
      return false;
    }
    Page allowed = answer.page();
    if (allowed == null) {
      slot.refused(node.owner() + ": pageMkwrite refuses to let 0x"
          + Long.toHexString(address & -Mman.PAGE_SIZE) + " be written");
      return false;
    }
    if (node.kernel().memory().frameOf(allowed) != node.kernel().memory().frameOf(page)) {
      String unused =
          node.failed(slot, "pageMkwrite", "it returned another page than it was asked for", null);
      return false;
    }
    return true;
  }

  @Override
  public void maySplit(Area area, long address) throws ErrnoException {
    if (present()) {
      node.call(lease, "maySplit", false, Errno.ENODEV, operations -> {
        operations.maySplit(area, address);
        return null;
      });
    }
  }

  @Override
  public void mremap(Area area) throws ErrnoException {
    if (present()) {
      node.call(lease, "mremap", false, Errno.ENODEV, operations -> {
        operations.mremap(area);
        return null;
      });
    }
  }

  @Override
  public void mprotect(Area area, long start, long end, VmFlags flags) throws ErrnoException {
    if (present()) {
      node.call(lease, "mprotect", false, Errno.ENODEV, operations -> {
        operations.mprotect(area, start, end, flags);
        return null;
      });
    }
  }

  /** What is left of a gone driver's areas may be split, moved and protected at will. */
  private boolean present() {
    return node.driver().isPresent();
  }

  @Override
  public @Nullable String name(Area area) {
    if (!name) {
      return null;
    }
    try {
      // Who reads the maps needs the thread, and the lock, to tell of the other areas.
      return node.<VmOperations, @Nullable String>callAside(
          lease, "name", false, Errno.ENODEV, false, operations -> operations.name(area));
    } catch (ErrnoException e) {
      return null;
    }
  }

  @Override
  public String owner() {
    return node.owner();
  }

  @Override
  public String lastRefusal() {
    return node.kernel().watchdog().slot().refusal();
  }

  private void trace(TraceEvent.Kind kind, Area area, long start, long end, String text) {
    if (!node.driver().isGone()) {
      node.kernel().tracer().emit(kind, area.pid(), node.owner(), start, end, text);
    }
  }

  @Override
  public String toString() {
    return "operations of " + node.owner();
  }
}
