// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;

/**
 * {@code set_mempolicy(2)}: a policy of the process, not of its areas, so that the kernel here has no
 * such call. It is checked as far as a recording tells: the mask's contents are not recorded.
 */
final class MemoryPolicy {
  /** {@code MPOL_F_NUMA_BALANCING | MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES}. */
  private static final int MODE_FLAGS = 0xe000;

  /** {@code MPOL_WEIGHTED_INTERLEAVE}, the last mode. */
  private static final int LAST_MODE = 6;

  private MemoryPolicy() {}

  static void set(int modeAndFlags, long maxNode) throws ErrnoException {
    int mode = modeAndFlags & ~MODE_FLAGS;
    if (mode < 0 || mode > LAST_MODE) {
      throw new ErrnoException(Errno.EINVAL, "mode: " + mode + " is no memory policy");
    }
    if (Long.compareUnsigned(maxNode - 1, (long) Mman.PAGE_SIZE * Byte.SIZE) > 0 && maxNode != 0) {
      throw new ErrnoException(Errno.EINVAL, "maxnode: a mask of more than a page of bits");
    }
  }
}
