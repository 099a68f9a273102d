// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What commands return, and how Gogo prints it. A result is an object with accessors, so that scripts
 * can use it ({@code each (vmas 2) { echo ($it start) }}), prints as aligned text, so that {@code
 * grep} can, and has as its {@code toString} the handle that other commands read: a process prints as
 * its number, an area as its range.
 */
@NullMarked
package io.faultline.shell.view;

import org.jspecify.annotations.NullMarked;
