// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.ErrnoException;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Gives drivers stretches of physical addresses behind which there is no memory but a device: {@code
 * request_mem_region} and {@code ioremap}, seen from the device's side. Published as a service of bundle
 * scope. Thread-safe.
 *
 * <p>A region belongs to the bundle, whatever its version, and keeps its frame numbers; its handler
 * belongs to the version that gave it. So mappings outlive an upgrade: the handler of the new version
 * takes over with the rest of the driver, in the same moment. Numbers are never given to another region.
 *
 * <p>A region goes when no version of the bundle is there any more ({@code release_region}): at once,
 * unless accesses wait for the bundle to come back, then with the end of that gap; and unless areas of
 * its devices are left, which the next version may adopt, then with the last of them.
 */
@ProviderType
public interface IoMemory {
  /**
   * The region of a name, made at the first call. The handler answers once a device of this version of
   * the bundle maps the region, or is handed mappings of it; a later call of the same version gives
   * another handler for then.
   *
   * @param name of the driver's choice: the device's, say; 1 to 64 characters of one line
   * @param pages how many, 1 to 2<sup>20</sup>; at a later call, as many as the region has
   * @param handler the registers
   * @throws ErrnoException EINVAL for another number of pages, or a name that is none; ENOMEM when
   *     numbers are used up; ENXIO when the bundle has let go of this service
   */
  IoRegion region(String name, int pages, IoHandler handler) throws ErrnoException;

  /** The names of this driver's regions. */
  Set<String> regions();

  /**
   * Gives a region back: where it is mapped still, accesses are SIGBUS. One that is not there is no
   * error.
   */
  void free(String name);
}
