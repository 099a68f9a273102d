// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import org.jspecify.annotations.Nullable;

/**
 * Pages of a file that are to be read or written when the address space's lock has been let go of.
 *
 * @param file with a reference, which each of the methods drops: one of them is called once
 * @param firstPage index of the first page
 * @param endPage index of the first page behind
 */
public record FileRange(OpenFileObject file, long firstPage, long endPage) {
  /** The part of an area from an address on; null when there is nobody to write it back. */
  static @Nullable FileRange toSync(Area area, long start, long end) {
    return area.mappedFile() instanceof OpenFileObject file && file.canSync()
        ? of(file, area, start, end)
        : null;
  }

  /** As {@link #toSync}; null when the kernel keeps no pages of its file. */
  static @Nullable FileRange toReadAhead(Area area, long start, long end) {
    return area.mappedFile() instanceof OpenFileObject file && file.hasPageCache()
        ? of(file, area, start, end)
        : null;
  }

  private static FileRange of(OpenFileObject file, Area area, long start, long end) {
    file.get();
    long last = Args.below(end, area.end()) ? end : area.end();
    return new FileRange(
        file, area.pageOffsetOf(start), area.pageOffsetOf(last - Mman.PAGE_SIZE) + 1);
  }

  /** Writes them back ({@code vfs_fsync_range}). */
  public void sync() throws ErrnoException {
    try {
      file.sync(firstPage, endPage);
    } finally {
      file.put();
    }
  }

  /** Reads them ahead of their use. */
  public void readAhead() {
    try {
      file.readAhead(firstPage, endPage);
    } finally {
      file.put();
    }
  }

  /** Does nothing. */
  public void cancel() {
    file.put();
  }
}
