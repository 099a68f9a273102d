// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.lang.foreign.MemorySegment;

/** The bytes of an open file of a device: its driver has them. */
final class DriverContents implements FileContents {
  private final OpenFileObject file;
  private final FileCalls calls;

  DriverContents(OpenFileObject file, FileCalls calls) {
    this.file = file;
    this.calls = calls;
  }

  @Override
  public boolean canRead() {
    return calls.overrides("read");
  }

  @Override
  public boolean canWrite() {
    return calls.overrides("write");
  }

  @Override
  public boolean canSync() {
    return calls.overrides("fsync");
  }

  @Override
  public int read(long offset, MemorySegment target) throws ErrnoException {
    int count = calls.transfer("read", provider -> provider.read(file, offset, target));
    return checkCount("read", count, target.byteSize());
  }

  @Override
  public int write(long offset, MemorySegment source) throws ErrnoException {
    int count = calls.transfer(
        "write", provider -> provider.write(file, offset, source.asReadOnly()));
    return checkCount("write", count, source.byteSize());
  }

  private int checkCount(String operation, int count, long length) throws ErrnoException {
    if (count < 0 || count > length) {
      throw new ErrnoException(
          Errno.EIO,
          calls.failed(operation, "it returned " + count + " for " + length + " bytes"));
    }
    return count;
  }

  @Override
  public void truncate(long size) throws ErrnoException {
    throw new ErrnoException(
        Errno.EINVAL, "fd: " + file.inode().path() + " is no file that can be truncated");
  }

  @Override
  public void sync(long firstPage, long endPage) throws ErrnoException {
    if (!canSync()) {
      throw new ErrnoException(Errno.EINVAL, "fd: " + file.inode().path() + " has no fsync");
    }
    boolean whole = endPage > Long.MAX_VALUE >>> Mman.PAGE_SHIFT;
    long end = whole ? Long.MAX_VALUE : endPage << Mman.PAGE_SHIFT;
    boolean unused = calls.transfer("fsync", provider -> {
      provider.fsync(file, firstPage << Mman.PAGE_SHIFT, end);
      return true;
    });
  }

  @Override
  public void unmapped(long firstPage, long endPage) {}

  @Override
  public void readAhead(long firstPage, long endPage) {}

  @Override
  public void opened() {}

  @Override
  public void closed() {}
}
