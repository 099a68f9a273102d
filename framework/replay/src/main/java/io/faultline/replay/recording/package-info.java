// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What a recording directory ({@code vmrec-1}) says, as immutable values, and the readers that make
 * them. Knows nothing of any kernel.
 *
 * <p>Readers go over each file once, without regular expressions. A broken file is refused with a
 * {@link io.faultline.replay.recording.RecordingException} that names the file, the line, and what
 * was expected there. Texts are read as ISO 8859-1, one character a byte, because file names are
 * bytes.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.replay.recording;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
