// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Events for Flight Recorder, {@code faultline.*}. The lowest room: every other may emit them, and it
 * uses none. While nobody records, {@code start()} is a look at one field and gives null.
 */
@NullMarked
package io.faultline.core.jfr;

import org.jspecify.annotations.NullMarked;
