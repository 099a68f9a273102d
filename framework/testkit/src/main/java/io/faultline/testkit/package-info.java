// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Boots a kernel in a test, and holds drivers to the contract. */
@NullMarked
package io.faultline.testkit;

import org.jspecify.annotations.NullMarked;
