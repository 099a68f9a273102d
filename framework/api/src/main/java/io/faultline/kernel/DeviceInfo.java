// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.device.DeviceNumber;
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
    long pages) {}
