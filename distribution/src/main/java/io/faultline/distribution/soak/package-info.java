// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** {@code soak}: drivers upgraded again and again under load, and installed and uninstalled. */
@NullMarked
package io.faultline.distribution.soak;

import org.jspecify.annotations.NullMarked;
