// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject;
import io.faultline.core.device.OpenFileObject;
import io.faultline.mm.ErrnoException;

/**
 * A shared-memory object with the one open file that stands for it.
 *
 * @param file with one descriptor's reference, until it is attached or released
 * @param provider its pages
 */
record SharedMemoryObject(OpenFileObject file, SharedMemoryProvider provider) {
  /** Makes an area a mapping of the object, which takes the place of the descriptor. */
  void attach(Area area) throws ErrnoException {
    MmapRequestObject request =
        new MmapRequestObject(
            area.pid(), area.start(), area.end(), area.pageOffset(), area.flagBits(),
            provider.memory(), bytes -> {});
    try {
      file.mmap(request);
      file.get();
    } finally {
      file.release();
    }
    area.setFile(file);
    area.setOperations(request.operations());
    area.setFlagBits(request.flagBits());
  }
}
