// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The console of the distribution: one command line from the launcher, lines from a pipe, or the
 * interactive shell in a terminal; and the commands that deal with the distribution's own folders.
 */
@NullMarked
package io.faultline.distribution.console;

import org.jspecify.annotations.NullMarked;
