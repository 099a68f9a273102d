// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.device.OpenFileObject;

/** What others may know of the pages of shared anonymous memory. Stateless. */
public final class SharedMemoryPages {
  private SharedMemoryPages() {}

  /**
   * Whether an area maps shared anonymous memory and nobody has made that page of it yet, so that it
   * is zeros without being there. The space's lock is held for reading.
   *
   * @param page an address in the area
   */
  public static boolean isUnmade(Area area, long page) {
    return area.mappedFile() instanceof OpenFileObject file
        && file.inode().provider() instanceof SharedMemoryProvider memory
        && !memory.isResident(area.pageOffsetOf(page));
  }
}
