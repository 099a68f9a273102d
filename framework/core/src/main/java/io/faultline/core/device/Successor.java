// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.MmapProvider;
import io.faultline.kernel.DeviceRegistration;

/**
 * Who is to take a driver's place.
 *
 * @param old who goes
 * @param registration the same name; nodes that are missing in it must be in no use
 * @param provider who comes
 */
public record Successor(Driver old, DeviceRegistration registration, MmapProvider provider) {}
