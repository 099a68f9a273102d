// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * The address space: ties areas to page tables. One class for each memory system call, written in
 * phases: check, gather, prepare what can fail, commit what cannot. An operation that fails leaves
 * everything as it was, save where Linux itself does not.
 *
 * <p>May import: memory, paging, area, device. What it needs of the rooms above, page faults, it
 * declares itself: {@link io.faultline.core.mm.PageFaults}.
 *
 * <p>Lock order, outermost first:
 *
 * <pre>
 * AddressSpace.lock (mmap_lock)        one a space; fork takes the parent's, then the child's
 * +-- AddressSpace.faultMonitor        anon_vma assignment, page-table entries that faults race for
 *     +-- page-table locks             core.paging
 *         +-- page cache, frames       core.memory
 * </pre>
 *
 * A driver's callback runs with mmap_lock held where Linux holds it; a call back into the same space
 * is answered with EDEADLK.
 */
@NullMarked
package io.faultline.core.mm;

import org.jspecify.annotations.NullMarked;
