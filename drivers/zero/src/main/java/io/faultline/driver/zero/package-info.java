// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** {@code /dev/zero}, {@code /dev/null} and {@code /dev/full}. */
@NullMarked
package io.faultline.driver.zero;

import org.jspecify.annotations.NullMarked;
