// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.DeviceNumber;
import io.faultline.device.UnplugPolicy;
import org.jspecify.annotations.Nullable;

/**
 * A device node, as of the moment of the snapshot.
 *
 * @param path {@code /dev/NAME}
 * @param number its device number
 * @param driver symbolic name of the driver's bundle, or the class where there is no bundle
 * @param driverVersion the bundle's version
 * @param present false when the driver is gone but files or areas are left
 * @param openFiles open files that stand for it
 * @param areas areas that map it
 * @param faults faults that its driver answered
 * @param errors callbacks that threw, hung, or gave a wrong answer
 * @param lastError the latest of these, for a person to read
 * @param pages frames that the driver's bundle holds
 * @param state what answers for it
 * @param generation goes up with every driver that is registered, and with every upgrade
 * @param inFlight calls into the driver that are under way, of all its devices
 * @param unplug what answers accesses while the driver is not there
 */
public record DeviceInfo(
    String path,
    DeviceNumber number,
    String driver,
    String driverVersion,
    boolean present,
    int openFiles,
    int areas,
    long faults,
    long errors,
    @Nullable String lastError,
    long pages,
    State state,
    long generation,
    int inFlight,
    UnplugPolicy unplug) {
  /** What answers for a device. */
  public enum State {
    /** Its driver. */
    SERVING,
    /** Nobody for a moment: another version takes over, or the driver is being removed. */
    CHANGING,
    /** Nobody: the driver has failed too often. */
    QUARANTINED,
    /** Nobody: the driver is gone, and files or areas are left. */
    GONE
  }

  /** A device of generation 0 that serves, or is gone. */
  public DeviceInfo(
      String path, DeviceNumber number, String driver, String driverVersion, boolean present,
      int openFiles, int areas, long faults, long errors, @Nullable String lastError,
      long pages) {
    this(
        path, number, driver, driverVersion, present, openFiles, areas, faults, errors, lastError,
        pages, present ? State.SERVING : State.GONE, 0, 0, UnplugPolicy.SIGBUS);
  }
}
