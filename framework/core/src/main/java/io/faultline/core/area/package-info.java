// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/** Areas: tree, merge and split rules, gap search, anon_vma. Knows no page tables. */
@NullMarked
package io.faultline.core.area;

import org.jspecify.annotations.NullMarked;
