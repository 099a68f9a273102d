// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.Inode;
import io.faultline.mm.Mman;
import io.faultline.mm.VmFlags;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An area that a program has when it starts.
 *
 * @param start first byte, aligned to a page
 * @param end first byte behind it, aligned to a page
 * @param flags its flags
 * @param pageOffset offset in pages: into the file, or {@code start / 4096} where there is none
 * @param file what is mapped; null for anonymous memory
 * @param special one of the kernel's own mappings; null for others
 */
public record InitialArea(
    long start,
    long end,
    VmFlags flags,
    long pageOffset,
    @Nullable Inode file,
    @Nullable SpecialMapping special) {
  /**
   * @throws IllegalArgumentException when the range is empty or not aligned
   */
  public InitialArea {
    Objects.requireNonNull(flags, "flags");
    if (((start | end) & (Mman.PAGE_SIZE - 1)) != 0 || Long.compareUnsigned(start, end) >= 0) {
      throw new IllegalArgumentException(
          "start, end: [0x%x, 0x%x) is empty or not aligned to pages".formatted(start, end));
    }
  }
}
