// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Memory under pressure: processes whose pages are several times the memory, each page with contents
 * that are known outside, on real swap devices. {@link io.faultline.pressure.PressureRun} is the
 * program; {@link io.faultline.pressure.Machine} boots the kernel it runs on and installs the devices.
 * Knows the kernel by its API alone.
 */
@NullMarked
package io.faultline.pressure;

import org.jspecify.annotations.NullMarked;
