// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Reclaim: which pages leave memory, and how. Finds every page-table entry of a frame ({@link
 * io.faultline.core.reclaim.HeldSpaces}), ages frames, swaps out.
 *
 * <h2>A clock instead of lists</h2>
 *
 * Linux keeps an active and an inactive list for anonymous and for file pages. Here a frame's place is
 * in its flags, and a hand goes round over all frames, which lie in one dense table:
 *
 * <pre>
 *              used since the hand came by?          not used
 *   inactive   anonymous: → active                   → out
 *              file: second chance, then active
 *   active     stays                                 → inactive
 * </pre>
 *
 * That is the same second chance, the same promotion and the same ageing; but a page fault puts its
 * page on no list, so it takes no lock that others want, and nothing has to be taken off a list when
 * pages are freed by the thousand. What a list is better at, finding the coldest page without looking
 * at others, costs a clock a look at each frame: a bounded one, since at most three rounds are made. A
 * page that comes back too soon ({@link io.faultline.core.memory.Workingset}) begins as active.
 *
 * <h2>Locks</h2>
 *
 * Reclaim runs on the thread that wants memory, inside a page fault, a driver's callback or a system
 * call. So it waits for no lock that the thread may have: address spaces and frames are only tried.
 * What it waits for is a swap device's write lock, which is held by nobody who waits for anything but
 * the device.
 *
 * <pre>
 *   swap device's write lock
 *     mmap_lock of several spaces, for reading, tried
 *       frame lock, tried
 *         page table, swap area, page cache, physical memory
 * </pre>
 */
@NullMarked
package io.faultline.core.reclaim;

import org.jspecify.annotations.NullMarked;
