// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

/**
 * Is shown entries of a page table, each once, and says what becomes of them.
 *
 * <p>Called with the lock of one leaf table held (the page-table lock of Linux): it must not block,
 * touch user memory or change the same page tables in another way.
 */
@FunctionalInterface
public interface EntryVisitor {
  /**
   * @param address of the page
   * @param entry not 0
   * @return what the entry is to be: the same for no change, 0 to clear it
   */
  long visit(long address, long entry);
}
