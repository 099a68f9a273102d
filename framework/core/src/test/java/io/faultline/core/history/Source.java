// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.history;

/**
 * What a history maps.
 *
 * @param device the number of the device, or -1 for anonymous memory
 * @param writable whether its descriptor is open for writing
 * @param shared MAP_SHARED, not MAP_PRIVATE
 */
record Source(int device, boolean writable, boolean shared) {
  /** The descriptor: each device is opened for both, then for reading alone. */
  int fd() {
    return device < 0 ? -1 : 2 * device + (writable ? 0 : 1);
  }

  @Override
  public String toString() {
    return (shared ? "shared " : "private ")
        + (device < 0 ? "anonymous" : "device " + device + (writable ? "" : " read-only"));
  }
}
