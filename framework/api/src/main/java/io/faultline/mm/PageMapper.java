// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Lets a driver put pages into the page table of the one area that its callback is about, and of no
 * other. Good only until the callback returns.
 */
@ProviderType
public interface PageMapper {
  /**
   * Maps a page at an address of the area: {@code vm_insert_page} (or the book's {@code
   * install_page}). The kernel takes its own reference.
   *
   * @param address in bytes, aligned to a page, within the area
   * @throws ErrnoException EFAULT when the address is outside the area or not aligned, EBUSY when a
   *     page is mapped there already, EINVAL when the page is not one of this kernel's live pages; ENOMEM when there is
   *     no memory for page tables, which in this kernel comes from a reserve: but the test kit says so
   * @throws IllegalStateException after the callback has returned
   */
  void insertPage(long address, Page page) throws ErrnoException;
}
