// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What every command stands on: its manual, its words, its errors, the process one works with.
 * Commands are in {@code command}, what they return in {@code view}, the parsing of single words in
 * {@code word}, Tab completion in {@code complete}, the live trace in {@code trace}.
 */
@NullMarked
package io.faultline.shell;

import org.jspecify.annotations.NullMarked;
