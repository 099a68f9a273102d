// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** {@code /dev/ring0}: a ring buffer that is mapped twice in a row, so that no record wraps. */
@NullMarked
package io.faultline.driver.ring;

import org.jspecify.annotations.NullMarked;
