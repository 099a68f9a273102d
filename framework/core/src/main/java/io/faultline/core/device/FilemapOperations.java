// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.memory.PhysicalMemory;
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
 * The kernel's own operations for areas that map a page cache: {@code generic_file_vm_ops}. The driver
 * is called only where a page is missing. Thread-safe.
 */
final class FilemapOperations implements AreaOperations {
  private final CachedFile file;
  private final PageReader reader;
  private final FileSize size;

  FilemapOperations(CachedFile file, PageReader reader, FileSize size) {
    this.file = file;
    this.reader = reader;
    this.size = size;
  }

  @Override
  public boolean hasOpen() {
    return false;
  }

  @Override
  public boolean hasClose() {
    return false;
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
    return true;
  }

  @Override
  public boolean hasPageMkwrite() {
    return true;
  }

  @Override
  public boolean hasMaySplit() {
    return false;
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
  public boolean returnsLocked() {
    return true;
  }

  /** {@code filemap_fault}. */
  @Override
  public Nopage nopage(Area area, long address, Access access) {
    long index = area.pageOffsetOf(address);
    ReadAhead window =
        area.mappedFile() instanceof OpenFileObject open ? open.readAhead() : null;
    boolean[] major = {false};
    long frame;
    try {
      frame = reader.lockPage(index, window, area.flagBits(), major);
    } catch (ErrnoException refused) {
      refuse(String.valueOf(refused.getMessage()));
      return refused.errno() == Errno.ENOMEM ? Nopage.OOM : Nopage.SIGBUS;
    }
    if (frame == PhysicalMemory.NONE) {
      refuse(file.behindEnd(index));
      return Nopage.SIGBUS;
    }
    file.node().countFault();
    Page page = file.memory().page(frame);
    return major[0] ? Nopage.major(page) : Nopage.minor(page);
  }

  /** {@code filemap_map_pages}: what is in memory and not in use elsewhere just now. */
  @Override
  public void mapPages(Area area, long firstPage, long lastPage, PageMapper pages) {
    size.settle();
    for (long index = firstPage; index <= lastPage; index++) {
      long frame = reader.tryLockPage(index);
      if (frame == PhysicalMemory.NONE) {
        continue;
      }
      try {
        pages.insertPage(
            area.start() + (index - area.pageOffset() << Mman.PAGE_SHIFT),
            file.memory().page(frame));
      } catch (ErrnoException mapped) {
        // There is an entry already.
      } finally {
        file.release(frame);
      }
    }
  }

  @Override
  public boolean pageMkwrite(Area area, long address, Page page) {
    try {
      file.mkwrite(page.frameNumber(), area.pageOffsetOf(address));
      return true;
    } catch (ErrnoException refused) {
      refuse(String.valueOf(refused.getMessage()));
      return false;
    }
  }

  private void refuse(String why) {
    file.node().kernel().watchdog().slot().refused(why);
  }

  @Override
  public void open(Area area) {
    throw missing("open");
  }

  @Override
  public void close(Area area) {
    throw missing("close");
  }

  @Override
  public void populate(
      Area area, long address, long length, Protection protection, long pageOffset,
      boolean nonblock, PageMapper pages) {
    throw missing("populate");
  }

  @Override
  public void maySplit(Area area, long address) {
    throw missing("maySplit");
  }

  @Override
  public void mremap(Area area) {
    throw missing("mremap");
  }

  @Override
  public void mprotect(Area area, long start, long end, VmFlags flags) {
    throw missing("mprotect");
  }

  private static IllegalStateException missing(String operation) {
    return new IllegalStateException("files with a page cache have no " + operation);
  }

  @Override
  public @Nullable String name(Area area) {
    return null;
  }

  @Override
  public String owner() {
    return file.node().owner();
  }

  @Override
  public String lastRefusal() {
    return file.node().kernel().watchdog().slot().refusal();
  }

  @Override
  public String toString() {
    return "page cache of " + file.inode().path();
  }
}
