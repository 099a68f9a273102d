// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Replays recordings of real Linux programs and compares each map, digest and fault. */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.replay;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
