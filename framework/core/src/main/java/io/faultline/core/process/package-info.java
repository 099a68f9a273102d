// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * Processes and their descriptors, and the services of {@code io.faultline.kernel} over the rooms
 * below: the system-call entry. May import every room but component.
 *
 * <p>Lock order: a task's own monitor (its descriptors), then mmap_lock. A fork takes the parent's
 * lock, then the child's, which nobody else can know yet.
 */
@NullMarked
package io.faultline.core.process;

import org.jspecify.annotations.NullMarked;
