// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.DriverPages;
import io.faultline.kernel.DeviceRegistration;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What an exchange of drivers needs of the rest of the kernel.
 *
 * @param world brings address spaces to a halt
 * @param pages the accounts of drivers
 * @param keptByKernel whether a frame stays, whatever becomes of drivers
 */
record Surroundings(
    StopWorld world, Function<DeviceRegistration, DriverPages> pages,
    Predicate<Long> keptByKernel) {}
