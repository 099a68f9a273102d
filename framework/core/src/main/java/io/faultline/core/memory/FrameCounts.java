// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * The accounts of physical memory at one moment, in frames.
 *
 * @param total all frames; one more than can be allocated, since frame 0 is never used
 * @param free frames that can be allocated
 * @param anonymous frames in use as {@link FrameUse#ANONYMOUS}
 * @param file frames in use as {@link FrameUse#FILE}
 * @param shmem frames in use as {@link FrameUse#SHMEM}
 * @param driver frames in use as {@link FrameUse#DRIVER}
 * @param pageTable frames in use as {@link FrameUse#PAGE_TABLE}
 * @param kernel frames in use as {@link FrameUse#KERNEL}, the page of zeros among them
 */
public record FrameCounts(
    long total, long free, long anonymous, long file, long shmem, long driver, long pageTable,
    long kernel) {
  /** The frames in use as the given use. */
  public long of(FrameUse use) {
    return switch (use) {
      case ANONYMOUS -> anonymous;
      case FILE -> file;
      case SHMEM -> shmem;
      case DRIVER -> driver;
      case PAGE_TABLE -> pageTable;
      case KERNEL -> kernel;
    };
  }

  /** All frames that are allocated. */
  public long used() {
    return anonymous + file + shmem + driver + pageTable + kernel;
  }
}
