// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

import io.faultline.mm.Mman;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Consecutive frame numbers behind memory that stand for a device's registers: the BAR of a PCI device.
 * They have no bytes and no {@link io.faultline.mm.Page}; a driver maps them with {@link
 * MmapRequest#remapPfnRange}. Immutable.
 */
@ProviderType
public interface IoRegion {
  /** Its name, as {@code /proc/iomem} shows it. */
  String name();

  /** The number of its first frame; the region is frames {@code [frame(), frame() + pages())}. */
  long frame();

  /** How many frames. */
  int pages();

  /** Its length in bytes. */
  default long length() {
    return (long) pages() * Mman.PAGE_SIZE;
  }
}
