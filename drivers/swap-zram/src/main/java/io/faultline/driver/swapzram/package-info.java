// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** Swap space that is memory again, compressed: Linux's {@code zram}. */
@NullMarked
package io.faultline.driver.swapzram;

import org.jspecify.annotations.NullMarked;
