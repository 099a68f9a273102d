// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * What a process does with a ring: the layout, a producer, a consumer. It knows nothing of the driver
 * and reaches the ring through the process's memory alone. Not exported: whoever needs it takes it into
 * his own bundle ({@code -privatepackage}), so that the driver's can be replaced.
 */
@NullMarked
package io.faultline.driver.ring.client;

import org.jspecify.annotations.NullMarked;
