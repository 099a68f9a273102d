// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;
import io.faultline.device.Inode;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which inode's pages the kernel keeps itself ({@code inode->i_mapping}): those of its own shared
 * memory and of files with a page cache. Thread-safe.
 */
public final class FileMappings {
  /** An inode is known by its identity. */
  private final Map<Inode, FileMapping> mappings = new ConcurrentHashMap<>();

  FileMappings() {}

  /** The pages of an inode; null when its driver has them. */
  public @Nullable FileMapping find(Inode inode) {
    return mappings.get(inode);
  }

  /** From now on the kernel keeps the pages of an inode. */
  public void put(Inode inode, FileMapping mapping) {
    mappings.put(inode, mapping);
  }

  /** An inode is gone, or has no page left. */
  public void remove(Inode inode) {
    mappings.remove(inode);
  }
}
