// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.FileMapping;

/**
 * Finds the page-table entries of a file's pages in all address spaces, and changes them; a higher room
 * knows these. Takes no address space's lock, so that it can be called with any held.
 */
public interface FileRmap {
  /** Where no address space is known yet. */
  FileRmap NONE = new FileRmap() {
    @Override
    public int writeProtect(FileMapping mapping, long index, long frame) {
      return 0;
    }

    @Override
    public void unmap(FileMapping mapping, long first, long end, boolean copiesToo) {}
  };

  /**
   * Takes the right to write, and the dirty bit, from all entries of a page ({@code page_mkclean}).
   * When it returns, no store through them is under way; the next one faults.
   *
   * <p>Precondition: the frame is locked, so that no fault gives the right back.
   *
   * @return how many entries had one of them
   */
  int writeProtect(FileMapping mapping, long index, long frame);

  /**
   * Clears all entries of a half-open range of indices and drops their references ({@code
   * unmap_mapping_range}).
   *
   * @param copiesToo those of private copies too ({@code even_cows}): where the file has become shorter
   */
  void unmap(FileMapping mapping, long first, long end, boolean copiesToo);
}
