// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The live trace. Events arrive on the threads that act, with kernel locks held; they go into a
 * bounded queue, and a thread of the printer's own writes them, above the prompt where there is one.
 */
@NullMarked
package io.faultline.shell.trace;

import org.jspecify.annotations.NullMarked;
