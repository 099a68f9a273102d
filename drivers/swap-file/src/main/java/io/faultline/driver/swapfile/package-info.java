// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Swap space in a preallocated file of the host. */
@NullMarked
package io.faultline.driver.swapfile;

import org.jspecify.annotations.NullMarked;
