// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * The page fault: from the address to the area, its checks, the driver, the page cache or a copy, and
 * the page-table entry. May import every room but proc, process and component. Holds the address
 * space's lock for reading (for writing while a stack grows) and, round the assignment of an
 * anon_vma, its fault monitor.
 */
@NullMarked
package io.faultline.core.fault;

import org.jspecify.annotations.NullMarked;
