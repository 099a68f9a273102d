// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.mm.VmOperations;

/**
 * A regular file of tmpfs, or a memory file ({@code shmem_mmap}). Its seals are the inode's; the
 * kernel looks at them before it comes here ({@code memfd_check_seals_mmap}).
 */
final class MemoryFile implements MmapProvider {
  private final VmOperations operations;

  MemoryFile(FileFrame frame) {
    this.operations = new SizedPages(frame);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) {
    request.setOperations(operations);
  }

  @Override
  public Placement placement() {
    return Placement.SHMEM;
  }
}
