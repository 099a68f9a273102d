// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Gives drivers frames of physical memory: {@code alloc_page} and {@code __get_free_pages}. The
 * kernel publishes it as a service of bundle scope and keeps account of each bundle's frames; frames
 * that a bundle still holds when it is gone are taken back with a warning, as soon as no process maps
 * them. Thread-safe.
 */
@ProviderType
public interface PageAllocator {
  /**
   * One page filled with zeros, with one reference that is the driver's.
   *
   * @throws ErrnoException ENOMEM when physical memory is used up
   */
  Page allocate() throws ErrnoException;

  /**
   * 2<sup>order</sup> pages with consecutive frame numbers, filled with zeros, each with one
   * reference that is the driver's. Each is freed by its own {@link Page#put}.
   *
   * @param order 0 to 10
   * @return the pages in ascending order
   * @throws ErrnoException EINVAL for another order, ENOMEM when there is no such run of free frames
   */
  List<Page> allocate(int order) throws ErrnoException;

  /**
   * The bytes of consecutive frames as one segment: in Linux, the address that {@code
   * __get_free_pages} returns. Good as long as the driver holds its references.
   *
   * @param pages pages with consecutive frame numbers, ascending, such as {@link #allocate(int)}
   *     returns
   * @return writable, as long as all the pages together
   * @throws IllegalArgumentException when there are no pages, or their frames do not follow one
   *     another
   * @throws IllegalStateException when the last reference on one of them is gone
   */
  MemorySegment segment(List<Page> pages);

  /** The number of frames that this driver's bundle holds. */
  long allocated();
}
