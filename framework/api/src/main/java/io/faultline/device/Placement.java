// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

/**
 * How the kernel places mappings of a file that ask for no address: which {@code
 * get_unmapped_area} its file operations have.
 */
public enum Placement {
  /** None of its own: any free range of pages. */
  DEFAULT,
  /** {@code thp_get_unmapped_area}: congruent to the file offset modulo 2 MiB where that helps. */
  HUGE_PAGE,
  /** {@code shmem_get_unmapped_area}: memory files. */
  SHMEM,
  /** {@code /dev/zero}: as {@link #HUGE_PAGE} when private, as {@link #SHMEM} when shared. */
  ZERO_DEVICE
}
