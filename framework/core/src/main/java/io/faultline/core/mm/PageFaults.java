// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.mm.ErrnoException;

/** What memory calls need of the fault path above them. */
public interface PageFaults {
  /**
   * Brings the pages of a part of one area into memory, as its rights and flags ask for ({@code
   * populate_vma_page_range}). Called with the space's lock held.
   *
   * @param start aligned to a page
   * @param end aligned to a page; the range lies within one area
   * @throws ErrnoException EFAULT when a page cannot be had, ENOMEM when memory is used up
   */
  void populateArea(AddressSpace space, long start, long end) throws ErrnoException;
}
