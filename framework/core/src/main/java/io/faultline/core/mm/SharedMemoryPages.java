// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;
import io.faultline.device.Inode;
import org.jspecify.annotations.Nullable;

/** What others may know of the pages of shared anonymous memory. Stateless. */
public final class SharedMemoryPages {
  private SharedMemoryPages() {}

  /**
   * Why a page of shared anonymous memory could not be brought back from swap; null when that is not
   * what is wrong. The space's lock is held for reading.
   *
   * @param page an address in the area
   */
  public static @Nullable String swapFailure(Area area, long page) {
    return area.mappedFile() instanceof OpenFileObject file
        && file.inode().provider() instanceof SharedMemoryProvider memory
            ? memory.swapFailure(area.pageOffsetOf(page))
            : null;
  }

  /** Whether an inode is shared memory of the kernel's own. */
  public static boolean isSharedMemory(Inode inode) {
    return inode.provider() instanceof SharedMemoryProvider;
  }

  /** Brings a page of shared memory back from swap, as far as that is possible. */
  public static void bringBack(Inode inode, long index) {
    if (inode.provider() instanceof SharedMemoryProvider memory) {
      memory.bringBack(index);
    }
  }

  /**
   * Whether an area maps shared anonymous memory and nobody has made that page of it yet, so that it
   * is zeros without being there. The space's lock is held for reading.
   *
   * @param page an address in the area
   */
  public static boolean isUnmade(Area area, long page) {
    return area.mappedFile() instanceof OpenFileObject file
        && file.inode().provider() instanceof SharedMemoryProvider memory
        && !memory.isMade(area.pageOffsetOf(page));
  }
}
