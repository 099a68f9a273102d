// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * The pages of one file that are in memory, and where the file is mapped: {@code struct address_space}
 * (a name that is taken here by what Linux calls mm_struct). All open files of an inode share one.
 * Thread-safe.
 */
public final class FileMapping implements FrameOwner {
  private final PageCache cache;
  private final Places places = new Places();

  /**
   * @param memory whose frames it will hold
   */
  public FileMapping(PhysicalMemory memory) {
    cache = new PageCache(memory);
  }

  /** Its pages by their index in the file. */
  public PageCache cache() {
    return cache;
  }

  @Override
  public Places places() {
    return places;
  }
}
