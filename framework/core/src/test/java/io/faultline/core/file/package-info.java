// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Files with a page cache, from the system calls down to a file system that is made up. */
@NullMarked
package io.faultline.core.file;

import org.jspecify.annotations.NullMarked;
