// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc;

/**
 * What the memory of the machine is used for at one moment, in pages.
 *
 * @param total frames that can be allocated
 * @param free frames that nobody has
 * @param anonymousMapped frames of private pages that some process maps
 * @param otherMapped frames of files, shared memory and drivers that some process maps
 * @param file frames of files
 * @param shmem frames of shared memory
 * @param swapCached frames that stand for a swap slot too
 * @param dirty frames of files that differ from their file
 * @param writeback frames that are being written
 * @param activeAnonymous private and shared memory in use of late
 * @param inactiveAnonymous the rest of it
 * @param activeFile pages of files in use of late
 * @param inactiveFile the rest of them
 * @param locked frames that some process has locked into memory; they are on none of the four lists
 * @param pageTables tables of all processes, their roots among them
 * @param allocations frames handed out so far
 */
record MemoryTotals(
    long total, long free, long anonymousMapped, long otherMapped, long file, long shmem,
    long swapCached, long dirty, long writeback, long activeAnonymous, long inactiveAnonymous,
    long activeFile, long inactiveFile, long locked, long pageTables, long allocations) {
  /** Frames given back so far. */
  long freed() {
    return allocations - (total - free);
  }

  /** Frames of page caches, the swap cache among them ({@code NR_FILE_PAGES}). */
  long filePages() {
    return file + shmem + swapCached;
  }
}
