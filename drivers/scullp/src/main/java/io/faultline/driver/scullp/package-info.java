// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** LDD3's {@code scullp}: memory devices made of pages, which can be mapped. */
@NullMarked
package io.faultline.driver.scullp;

import org.jspecify.annotations.NullMarked;
