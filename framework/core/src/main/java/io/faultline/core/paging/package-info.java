// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Page tables and the software TLB: from a virtual address to a frame. Knows frames, knows no areas.
 */
@NullMarked
package io.faultline.core.paging;

import org.jspecify.annotations.NullMarked;
