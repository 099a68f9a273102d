// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import io.faultline.mm.ErrnoException;

/** {@code munmap(2)}: {@code do_vmi_munmap}. The lock is held for writing. */
public final class MunmapOperation {
  private MunmapOperation() {}

  public static void munmap(AddressSpace space, long start, long length) throws ErrnoException {
    long taskSize = space.profile().taskSize();
    Args.requireAligned("address", start);
    if (Args.above(start, taskSize) || Args.above(length, taskSize - start)) {
      throw Args.invalid("address, length: the range leaves user space");
    }
    long end = start + Args.pageAlign(length);
    if (end == start) {
      throw Args.invalid("length: is 0");
    }
    unmap(space, start, end);
  }

  /** Unmaps a range that was checked ({@code do_vmi_align_munmap}). */
  static void unmap(AddressSpace space, long start, long end) throws ErrnoException {
    UnmapBatch batch = new UnmapBatch(space, start, end);
    batch.gather();
    batch.remove();
  }
}
