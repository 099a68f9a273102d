// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** {@code /dev/uio0}: a device for drivers in user space, after Linux's {@code uio}. */
@NullMarked
package io.faultline.driver.uio;

import org.jspecify.annotations.NullMarked;
