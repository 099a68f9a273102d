// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * {@code demo}: Faultline's main job from end to end, told as it happens. Every sentence that it
 * prints was checked first.
 */
@NullMarked
package io.faultline.distribution.demo;

import org.jspecify.annotations.NullMarked;
