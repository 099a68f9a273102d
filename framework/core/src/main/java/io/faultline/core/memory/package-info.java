// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Frames of simulated physical memory: one off-heap arena, a reference count and a use for each
 * frame, zeroing, allocation, the pages that drivers hold, and the index of an object's pages.
 *
 * <p>This is the ground: it knows no page tables, no areas and no drivers. A frame is named by its
 * number, never by an object.
 */
@NullMarked
package io.faultline.core.memory;

import org.jspecify.annotations.NullMarked;
