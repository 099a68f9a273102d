// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The files that a recorded program had open, with the part that each kind of Linux file plays in
 * {@code mmap(2)}: what refuses, when it refuses, how its mappings are placed, and where their pages
 * end. A recording holds no contents, so all pages of one file share one frame.
 *
 * <p>None of the operations here has a {@code close}: it would change how areas merge.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.replay.file;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
