// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/**
 * Tab completion. {@code faultline:__complete} is the completer of every command; what it offers
 * follows from the command's usage line.
 */
@NullMarked
package io.faultline.shell.complete;

import org.jspecify.annotations.NullMarked;
