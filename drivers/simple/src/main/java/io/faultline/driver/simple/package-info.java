// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** LDD3's {@code simple}: the smallest drivers that map memory. */
@NullMarked
package io.faultline.driver.simple;

import org.jspecify.annotations.NullMarked;
