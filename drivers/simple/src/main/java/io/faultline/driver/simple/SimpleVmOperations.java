// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import io.faultline.mm.Mman;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * What the two devices do for their areas alike: say so in the log, in the book's words (LDD3 p.
 * 425). An area's page offset is its first frame's number, as in the book.
 */
class SimpleVmOperations implements VmOperations {
  private static final Logger LOG = System.getLogger("io.faultline.driver.simple");

  @Override
  public void open(Vma vma) {
    logOpen(vma.start(), vma.pageOffset());
  }

  @Override
  public void close(Vma vma) {
    LOG.log(Level.INFO, "Simple VMA close.");
  }

  /** Also called by the devices' mmap: that reference the kernel does not open. */
  static void logOpen(long start, long frame) {
    LOG.log(Level.INFO, String.format("Simple VMA open, virt %x, phys %x", start,
        frame << Mman.PAGE_SHIFT));
  }
}
