// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Page;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Memory of a device that outlives its driver: the kernel owns the frames, under names, for all
 * versions of the driver's bundle. A version that comes later, after an upgrade or after a gap, finds
 * frames and contents as they were. Published as a service of bundle scope. Thread-safe.
 */
@ProviderType
public interface DeviceMemory {
  /**
   * The region of a name, made and filled with zeros at the first call.
   *
   * @param name of the driver's choice: the device's, say
   * @param pages how many, 1 or more; at a later call, as many as the region has
   * @return the pages in order, their frames not necessarily consecutive. The references that keep
   *     them are the kernel's: a driver puts only what it got
   * @throws ErrnoException ENOMEM; EINVAL for less than 1 page, or for another number than the region
   *     has
   */
  List<Page> region(String name, int pages) throws ErrnoException;

  /**
   * As {@link #region} with 2<sup>order</sup> pages whose frames are consecutive.
   *
   * @param order 0 to 10
   * @throws ErrnoException as {@link #region}; EINVAL for another order, or for a region that {@link
   *     #region} made and that is not consecutive
   */
  List<Page> run(String name, int order) throws ErrnoException;

  /**
   * The bytes of a region whose frames are consecutive, as one segment.
   *
   * @param pages what {@link #run} returned, or some of it in order; one at least
   * @throws IllegalArgumentException when their frames do not follow one another, or one is freed
   */
  MemorySegment segment(List<Page> pages);

  /** The names of this driver's regions. */
  Set<String> regions();

  /**
   * Gives a region back; pages that processes map stay until those are done. One that is not there is
   * no error.
   */
  void free(String name);
}
