// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * The nodes of a driver; the properties of {@link io.faultline.device.Device}.
 *
 * @param name the node's name below {@code /dev}
 * @param major major number, or 0 for a free one
 * @param minor first minor number
 * @param count how many nodes; with more than one their names end in 0, 1, …
 * @param timeoutMillis how long a callback may take
 * @param driver symbolic name of the bundle, or the driver's class
 * @param version the bundle's version
 */
public record DeviceRegistration(
    String name,
    int major,
    int minor,
    int count,
    int timeoutMillis,
    String driver,
    String version) {
  /** One node with a free major number and the default time limit of 2 s. */
  public static DeviceRegistration of(String name) {
    return new DeviceRegistration(name, 0, 0, 1, 2000, name, "0.0.0");
  }

  /** The same with several nodes. */
  public DeviceRegistration withCount(int nodes) {
    return new DeviceRegistration(name, major, minor, nodes, timeoutMillis, driver, version);
  }

  /** The same with another time limit, in milliseconds. */
  public DeviceRegistration withTimeoutMillis(int millis) {
    return new DeviceRegistration(name, major, minor, count, millis, driver, version);
  }
}
