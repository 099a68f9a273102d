// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * Areas: tree, merge and split rules, gap search, anon_vma. Knows no page tables.
 *
 * <p>And why things are as they are: a {@link io.faultline.core.area.Rule} names what decided an
 * outcome, {@link io.faultline.core.area.Decisions} takes it to whoever asked. The rooms above add
 * rules of their own.
 */
@NullMarked
package io.faultline.core.area;

import org.jspecify.annotations.NullMarked;
