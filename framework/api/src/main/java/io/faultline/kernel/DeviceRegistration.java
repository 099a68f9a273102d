// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.UnplugPolicy;

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
 * @param unplug what answers accesses while the driver is not there
 * @param mode permission bits of the nodes, which are root's: of others, those for all count
 */
public record DeviceRegistration(
    String name,
    int major,
    int minor,
    int count,
    int timeoutMillis,
    String driver,
    String version,
    UnplugPolicy unplug,
    int mode) {
  /** What a driver that says nothing has: everybody may read and write. */
  private static final int EVERYBODY = 0666;

  /** The same with mode 0666. */
  public DeviceRegistration(
      String name, int major, int minor, int count, int timeoutMillis, String driver,
      String version, UnplugPolicy unplug) {
    this(name, major, minor, count, timeoutMillis, driver, version, unplug, EVERYBODY);
  }

  /** The same with {@link UnplugPolicy#SIGBUS} and mode 0666. */
  public DeviceRegistration(
      String name, int major, int minor, int count, int timeoutMillis, String driver,
      String version) {
    this(name, major, minor, count, timeoutMillis, driver, version, UnplugPolicy.SIGBUS);
  }

  /** One node with a free major number and the default time limit of 2 s. */
  public static DeviceRegistration of(String name) {
    return new DeviceRegistration(name, 0, 0, 1, 2000, name, "0.0.0");
  }

  /** The same with several nodes. */
  public DeviceRegistration withCount(int nodes) {
    return new DeviceRegistration(
        name, major, minor, nodes, timeoutMillis, driver, version, unplug, mode);
  }

  /** The same with another time limit, in milliseconds. */
  public DeviceRegistration withTimeoutMillis(int millis) {
    return new DeviceRegistration(
        name, major, minor, count, millis, driver, version, unplug, mode);
  }

  /** The same with a major number. */
  public DeviceRegistration withMajor(int number) {
    return new DeviceRegistration(
        name, number, minor, count, timeoutMillis, driver, version, unplug, mode);
  }

  /** The same with another version of the driver. */
  public DeviceRegistration withVersion(String other) {
    return new DeviceRegistration(
        name, major, minor, count, timeoutMillis, driver, other, unplug, mode);
  }

  /** The same with another answer while the driver is not there. */
  public DeviceRegistration withUnplug(UnplugPolicy policy) {
    return new DeviceRegistration(
        name, major, minor, count, timeoutMillis, driver, version, policy, mode);
  }

  /** The same with other permission bits. */
  public DeviceRegistration withMode(int bits) {
    return new DeviceRegistration(
        name, major, minor, count, timeoutMillis, driver, version, unplug, bits);
  }
}
