// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Random histories of system calls, forks, exits and accesses, run by the engine and by a model that is
 * as naive as can be: a process is a map from page to what is known of that page. No areas, no trees,
 * no page tables, no reference counts.
 *
 * <p>{@link io.faultline.core.history.Call} says what can happen, {@link
 * io.faultline.core.history.NaiveProcess} what then must be true, {@link
 * io.faultline.core.history.History} runs both and compares.
 */
@NullMarked
package io.faultline.core.history;

import org.jspecify.annotations.NullMarked;
