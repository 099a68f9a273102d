// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

/** What a frame is used for; the accounts of {@link FrameCounts} are kept by it. */
public enum FrameUse {
  /** A private page of a process. */
  ANONYMOUS,
  /** A page of a file. */
  FILE,
  /** A page of shared memory. */
  SHMEM,
  /** A page that a driver asked for. */
  DRIVER,
  /** A table of a page table. */
  PAGE_TABLE,
  /** The kernel's own. */
  KERNEL
}
