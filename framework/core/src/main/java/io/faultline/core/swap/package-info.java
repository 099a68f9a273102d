// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Swap space: devices, which of their slots are in use and by how many entries, and the pages that
 * are both here and there (the swap cache). Knows frames, but neither page tables nor areas: who
 * swaps out and in is the business of the rooms above.
 *
 * <pre>
 *   slot   free → allocated, in the swap cache, count 0 → written, count n → … → free
 *   count  entries of page tables (and of shared memory's indexes) that name the slot
 * </pre>
 *
 * <p>A slot is in use as long as its count is not 0 or a page stands in the swap cache for it. The
 * page in the cache is the truth while it is there; the device's copy may be older (then the frame is
 * {@link io.faultline.core.memory.FrameTable#DIRTY}).
 *
 * <h2>Locks, outer first</h2>
 *
 * <pre>
 *   SwapArea's write lock      held while a batch is put together and written
 *     frame lock               tried, never waited for, by who writes; waited for by who swaps in
 *       page table             one leaf
 *         SwapArea's monitor   counts and free slots
 *           page cache         the swap cache's index
 *             physical memory
 * </pre>
 */
@NullMarked
package io.faultline.core.swap;

import org.jspecify.annotations.NullMarked;
