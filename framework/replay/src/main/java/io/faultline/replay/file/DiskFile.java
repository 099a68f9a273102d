// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.device.Placement;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import java.util.Set;

/**
 * A regular file of a disk's file system. {@code MAP_SYNC} is known to the file system and refused
 * by the file, since it is no persistent memory ({@code ext4_file_mmap}): so late that {@code
 * MAP_FIXED} has destroyed the old mapping by then.
 */
final class DiskFile implements MmapProvider {
  /** File systems whose files have {@code thp_get_unmapped_area}. */
  private static final Set<String> HUGE_PAGE_PLACEMENT =
      Set.of("ext2", "ext3", "ext4", "xfs", "btrfs", "erofs", "fuse", "fuseblk", "virtiofs");

  /** File systems that know {@code MAP_SYNC} ({@code FOP_MMAP_SYNC}). */
  private static final Set<String> MAP_SYNC = Set.of("ext4", "xfs");

  private final String fileSystem;
  private final VmOperations operations;

  DiskFile(String fileSystem, FileFrame frame) {
    this.fileSystem = fileSystem;
    this.operations = new SizedPages(frame);
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    if (MAP_SYNC.contains(fileSystem) && request.flags().has(VmFlag.SYNC)) {
      throw new ErrnoException(
          Errno.EOPNOTSUPP, "flags: MAP_SYNC needs persistent memory under " + file.inode().path());
    }
    request.setOperations(operations);
  }

  @Override
  public Placement placement() {
    return HUGE_PAGE_PLACEMENT.contains(fileSystem) ? Placement.HUGE_PAGE : Placement.DEFAULT;
  }

  @Override
  public boolean supportsMapSync() {
    return MAP_SYNC.contains(fileSystem);
  }
}
