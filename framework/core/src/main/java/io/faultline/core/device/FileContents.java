// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.mm.ErrnoException;
import java.lang.foreign.MemorySegment;

/**
 * Where the bytes of an open file are: with its driver ({@link DriverContents}), or in pages that the
 * kernel keeps ({@link CachedContents}). How the file was opened is checked already. Offsets are in
 * bytes, ranges of pages half-open.
 */
interface FileContents {
  /** Whether it can be read at all. */
  boolean canRead();

  /** Whether it can be written at all. */
  boolean canWrite();

  /** Whether there is anybody to {@link #sync}: the kernel, or a driver with {@code fsync}. */
  boolean canSync();

  /** Reads; returns how many bytes, 0 at the end. */
  int read(long offset, MemorySegment target) throws ErrnoException;

  /** Writes; returns how many bytes. */
  int write(long offset, MemorySegment source) throws ErrnoException;

  /** Changes the length; {@code EINVAL} where the kernel keeps no pages. */
  void truncate(long size) throws ErrnoException;

  /** Writes dirty pages back, or has the driver send them; {@code EINVAL} where nobody can. */
  void sync(long firstPage, long endPage) throws ErrnoException;

  /** A shared mapping of a range goes: what was written through it reaches the file. */
  void unmapped(long firstPage, long endPage);

  /** Brings pages in that will be wanted. */
  void readAhead(long firstPage, long endPage);

  /** The driver has opened the file. */
  void opened();

  /** The file is closed: nobody asks any more. Called once; the driver still has the file open. */
  void closed();
}
