// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * What the kernel keeps for a driver that is not there: the state that it saved of a device when it
 * went ({@link io.faultline.device.HandOver#saveState}), or a region of its {@link
 * io.faultline.device.DeviceMemory}.
 *
 * @param what the device's path, or the region's name
 * @param driver symbolic name of the driver's bundle
 * @param driverVersion the version that saved it; empty for a region, which is all versions'
 * @param pages frames that belong to it; devices of one bundle may have some in common
 * @param bytes length of the state without its pages; 0 for a region
 */
public record KeptMemory(
    String what, String driver, String driverVersion, long pages, long bytes) {}
