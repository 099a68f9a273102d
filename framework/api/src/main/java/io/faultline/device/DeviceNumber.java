// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.device;

/**
 * The number of a device ({@code dev_t}).
 *
 * @param major which driver, 0 to 4095
 * @param minor which of its devices, 0 to 1048575
 */
public record DeviceNumber(int major, int minor) {
  /** The number of what has none: {@code 00:00} in {@code /proc/PID/maps}. */
  public static final DeviceNumber NONE = new DeviceNumber(0, 0);

  /**
   * @throws IllegalArgumentException when a part is out of its range
   */
  public DeviceNumber {
    if (major < 0 || major > 0xfff) {
      throw new IllegalArgumentException("major: " + major + " is not in 0..4095");
    }
    if (minor < 0 || minor > 0xfffff) {
      throw new IllegalArgumentException("minor: " + minor + " is not in 0..1048575");
    }
  }

  /** {@code MM:mm} in hexadecimal, at least two digits each, as in {@code /proc/PID/maps}. */
  @Override
  public String toString() {
    return String.format("%02x:%02x", major, minor);
  }
}
