// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** The "edu" device: registers that do something on each access, interrupts, and DMA. */
@NullMarked
package io.faultline.driver.mmio;

import org.jspecify.annotations.NullMarked;
