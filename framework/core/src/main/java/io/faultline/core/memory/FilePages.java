// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/**
 * What reclaim asks of the pages of a file that is stored somewhere. Both methods want the frame
 * locked by the caller, who looks that it still {@linkplain FrameTable#owner belongs} to the file, and
 * leave it locked.
 */
public interface FilePages {
  /**
   * Writes a dirty page back ({@code pageout}): takes the right to write from all entries that map it,
   * then calls the driver. Never waits for one who cuts the file off.
   *
   * @return whether it is clean now
   */
  boolean writeOut(long frame);

  /**
   * Drops a page that is clean and that no page-table entry maps ({@code remove_mapping}).
   *
   * @param shadow stands in its place from then on
   * @return whether the cache's reference was dropped; false when it is dirty, mapped, or another
   *     holds a reference beside the cache and the caller
   */
  boolean drop(long frame, long shadow);
}
