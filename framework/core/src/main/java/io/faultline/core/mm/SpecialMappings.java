// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.FrameUse;
import io.faultline.core.memory.PhysicalMemory;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.Page;
import io.faultline.mm.PageMapper;
import io.faultline.mm.Protection;
import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * The operations of {@code [vvar]}, {@code [vvar_vclock]} and {@code [vdso]}: they cannot be split
 * (RULES 3), have a {@code close} and so are never merged away, and hold a page or two (RULES 24).
 * One for each kind and kernel; thread-safe.
 */
public final class SpecialMappings implements AreaOperations {
  private final PhysicalMemory memory;
  private final SpecialMapping kind;
  /** One page of each kernel stands for all of them: nobody reads what is in it. */
  private final long frame;

  public SpecialMappings(PhysicalMemory memory, SpecialMapping kind) {
    this.memory = memory;
    this.kind = kind;
    this.frame = memory.allocate(FrameUse.KERNEL);
    if (frame == PhysicalMemory.NONE) {
      throw new IllegalStateException("memory: too small for the kernel itself");
    }
  }

  /** Which of its pages are there: RULES 24, and all of the vdso. */
  private boolean has(long page) {
    return switch (kind) {
      case VVAR -> page == 0 || page == 2;
      case VVAR_VCLOCK -> page == 0;
      case VDSO -> true;
    };
  }

  @Override
  public Nopage nopage(Area area, long address, Access access) {
    long page = (address - area.start()) >>> Mman.PAGE_SHIFT;
    if (!has(page)) {
      return Nopage.SIGBUS;
    }
    memory.get(frame);
    return Nopage.minor(memory.page(frame));
  }

  @Override
  public void maySplit(Area area, long address) throws ErrnoException {
    throw new ErrnoException(Errno.EINVAL, "address: " + kind.label() + " cannot be split");
  }

  @Override
  public boolean hasOpen() {
    return false;
  }

  @Override
  public boolean hasClose() {
    return true;
  }

  @Override
  public boolean hasNopage() {
    return true;
  }

  @Override
  public boolean hasPopulate() {
    return false;
  }

  @Override
  public boolean hasMapPages() {
    return false;
  }

  @Override
  public boolean hasPageMkwrite() {
    return false;
  }

  @Override
  public boolean hasMaySplit() {
    return true;
  }

  @Override
  public boolean hasMremap() {
    return false;
  }

  @Override
  public boolean hasMprotect() {
    return false;
  }

  @Override
  public void open(Area area) {
    // Has none.
  }

  @Override
  public void close(Area area) {
    // Nothing is kept for an area; that there is a close is what matters to merges.
  }

  @Override
  public void populate(
      Area area,
      long address,
      long length,
      Protection protection,
      long pageOffset,
      boolean nonblock,
      PageMapper pages) {
    throw new IllegalStateException("special mappings have no populate");
  }

  @Override
  public void mapPages(Area area, long firstPage, long lastPage, PageMapper pages) {
    throw new IllegalStateException("special mappings have no mapPages");
  }

  @Override
  public boolean pageMkwrite(Area area, long address, Page page) {
    throw new IllegalStateException("special mappings have no pageMkwrite");
  }

  @Override
  public void mremap(Area area) {
    throw new IllegalStateException("special mappings have no mremap");
  }

  @Override
  public void mprotect(Area area, long start, long end, VmFlags flags) {
    throw new IllegalStateException("special mappings have no mprotect");
  }

  @Override
  public @Nullable String name(Area area) {
    return kind.label();
  }

  @Override
  public String owner() {
    return kind.label();
  }

  @Override
  public String lastRefusal() {
    return kind.label() + " has no such page";
  }
}
