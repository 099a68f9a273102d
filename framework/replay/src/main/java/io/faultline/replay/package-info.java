// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Replays recordings of real Linux programs and compares each map, digest and fault. */
@NullMarked
package io.faultline.replay;

import org.jspecify.annotations.NullMarked;
