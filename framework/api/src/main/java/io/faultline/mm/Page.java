// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A frame of simulated physical memory, {@code struct page}: {@value Mman#PAGE_SIZE} bytes, named by
 * its frame number and reference counted.
 *
 * <p>A driver gets pages from {@link io.faultline.device.PageAllocator} and holds one reference on
 * each. As in the book, <b>a driver takes a further reference on a page that it returns from {@code
 * nopage}</b> ({@code get_page}, LDD3 p. 427): the kernel owns that one and drops it when the page
 * is unmapped. {@link PageMapper#insertPage}, like {@code vm_insert_page}, takes the kernel's
 * reference itself.
 *
 * <p>All methods may be called by any thread.
 */
@ProviderType
public interface Page {
  /** The number of the frame (pfn), stable as long as a reference is held. */
  long frameNumber();

  /**
   * The bytes of the frame: writable, {@value Mman#PAGE_SIZE} long.
   *
   * @throws IllegalStateException when the last reference is gone
   */
  MemorySegment segment();

  /** The number of references: the driver's own and one for each page-table entry. */
  int referenceCount();

  /**
   * Takes one more reference: {@code get_page}.
   *
   * @return this page
   * @throws IllegalStateException when the last reference is gone
   */
  Page get();

  /**
   * Drops one reference: {@code put_page}. The frame is free when the last one goes.
   *
   * @throws IllegalStateException when the last reference is gone already
   */
  void put();
}
