// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;

/** The bytes of an open file whose pages the kernel keeps. */
final class CachedContents implements FileContents {
  private final OpenFileObject file;
  private final CachedFile pages;
  private final ReadAhead window;
  /** Errors of write-backs that it has heard of ({@code f_wb_err}); guarded by this. */
  private long errorsHeard;

  CachedContents(OpenFileObject file, CachedFile pages, ReadAhead window) {
    this.file = file;
    this.pages = pages;
    this.window = window;
    this.errorsHeard = pages.errors().sample();
  }

  @Override
  public boolean canRead() {
    return true;
  }

  @Override
  public boolean canWrite() {
    return true;
  }

  @Override
  public boolean canSync() {
    return true;
  }

  @Override
  public int read(long offset, MemorySegment target) throws ErrnoException {
    requirePresent("read");
    return pages.read(offset, target, window);
  }

  @Override
  public int write(long offset, MemorySegment source) throws ErrnoException {
    requirePresent("write");
    return pages.write(offset, source);
  }

  private void requirePresent(String operation) throws ErrnoException {
    DeviceNode node = file.node();
    if (!node.driver().isPresent()) {
      throw new ErrnoException(
          Errno.ENXIO, node.gone(node.kernel().watchdog().slot(), operation));
    }
  }

  @Override
  public void truncate(long size) throws ErrnoException {
    pages.truncate(size);
  }

  @Override
  public void sync(long firstPage, long endPage) throws ErrnoException {
    pages.sync(firstPage, endPage);
    ErrnoException failure;
    synchronized (this) {
      failure = pages.errors().since(errorsHeard);
      errorsHeard = pages.errors().count();
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void unmapped(long firstPage, long endPage) {
    boolean unused = pages.writeBack(firstPage, endPage, false);
  }

  @Override
  public void readAhead(long firstPage, long endPage) {
    pages.readAhead(firstPage, endPage);
  }

  @Override
  public void opened() {
    pages.revalidate();
  }

  @Override
  public void closed() {
    file.node().kernel().mappings().close(pages);
  }
}
