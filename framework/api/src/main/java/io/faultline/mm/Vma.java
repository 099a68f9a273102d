// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.mm;

import io.faultline.device.OpenFile;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A virtual memory area, {@code struct vm_area_struct} (LDD3 p. 420), as a driver sees it: read-only,
 * save for {@link #setPrivateData}. Only the kernel makes areas.
 *
 * <p>The values are those of the moment of the call: an area grows, shrinks and splits. During a
 * callback they do not change, since the kernel holds the address space's lock, as Linux does.
 */
@ProviderType
public interface Vma {
  /** First byte of the area ({@code vm_start}), aligned to a page. */
  long start();

  /** First byte behind the area ({@code vm_end}); the area is {@code [start, end)}. */
  long end();

  /** Where the area begins in its file ({@code vm_pgoff}), in pages. */
  long pageOffset();

  /** The flags ({@code vm_flags}). */
  VmFlags flags();

  /** The open file that is mapped ({@code vm_file}), or null for anonymous memory. */
  @Nullable OpenFile file();

  /** What the driver stored ({@code vm_private_data}); copied by fork and by a split. */
  @Nullable Object privateData();

  /** Stores a value of the driver's own ({@code vm_private_data}). */
  void setPrivateData(@Nullable Object data);

  /** The number of the process the area belongs to. */
  int pid();

  /** Length in bytes. */
  default long length() {
    return end() - start();
  }

  /** Whether the flag is set. */
  default boolean has(VmFlag flag) {
    return flags().has(flag);
  }

  /**
   * The page of the file that an address of this area stands for.
   *
   * @param address in bytes, within the area
   * @return an offset in pages from the beginning of the file or device
   */
  default long pageOffsetOf(long address) {
    return ((address - start()) >>> Mman.PAGE_SHIFT) + pageOffset();
  }
}
