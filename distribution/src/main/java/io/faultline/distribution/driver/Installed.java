// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import io.faultline.kernel.DeviceInfo;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.Version;

/**
 * What a driver that was installed has brought.
 *
 * @param driver its bundle's symbolic name
 * @param version its bundle's version
 * @param devices that programs can open
 * @param swaps names of the swap devices
 * @param mounts where its file systems are mounted
 * @param commands for the shell, with their scopes, as Gogo names them
 */
public record Installed(
    String driver, Version version, List<DeviceInfo> devices, List<String> swaps,
    List<String> mounts, List<String> commands) {
  /** How many things, commands apart. */
  int count() {
    return devices.size() + swaps.size() + mounts.size();
  }

  /** All of it but the commands in one line. */
  public String line() {
    return "%s %s: %s".formatted(driver, version,
        Stream
            .of(devices.stream().map(DeviceInfo::path),
                swaps.stream().map(name -> "swap on " + name),
                mounts.stream().map(point -> "mounted on " + point))
            .flatMap(parts -> parts)
            .collect(Collectors.joining(" ")));
  }
}
