// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** The kernel core; this root package composes the rooms below it into one kernel. */
@NullMarked
package io.faultline.core;

import org.jspecify.annotations.NullMarked;
