// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.OpenFile;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;

/**
 * Pages up to the end of the file, SIGBUS beyond it: {@code filemap_fault} and {@code shmem_fault}
 * agree in this.
 */
final class SizedPages implements VmOperations {
  private final FileFrame frame;

  SizedPages(FileFrame frame) {
    this.frame = frame;
  }

  @Override
  public Nopage nopage(Vma vma, long address, Access access) {
    OpenFile file = vma.file();
    long size = file == null ? 0 : file.inode().size();
    long pages = (size >>> Mman.PAGE_SHIFT) + ((size & (Mman.PAGE_SIZE - 1)) == 0 ? 0 : 1);
    if (Long.compareUnsigned(vma.pageOffsetOf(address), pages) >= 0) {
      return Nopage.SIGBUS;
    }
    return frame.answer();
  }
}
