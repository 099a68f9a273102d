// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.kernel.DeviceInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A driver: all the devices that a bundle, in one version, serves. As a word it is its name.
 *
 * @param name symbolic name of the bundle
 * @param version its version
 * @param present whether it is there, or only what it left behind
 * @param devices how many device nodes
 * @param openFiles open files of all of them
 * @param areas areas that map one of them
 * @param faults faults that it answered
 * @param errors callbacks that went wrong
 * @param pages frames that it holds
 * @param lastError the latest error, or nothing
 */
public record DriverRow(
    String name,
    String version,
    boolean present,
    int devices,
    int openFiles,
    int areas,
    long faults,
    long errors,
    long pages,
    String lastError)
    implements View {
  private static final Table.Layout<DriverRow> LAYOUT =
      Table.Layout.<DriverRow>withEmpty(
          "no drivers; drop a driver's jar into drivers/, or install one: install file:scullp.jar")
          .text("DRIVER", DriverRow::name)
          .text("VERSION", DriverRow::version)
          .text("STATE", row -> row.present ? "present" : "gone")
          .number("DEVICES", row -> Integer.toString(row.devices))
          .number("FILES", row -> Integer.toString(row.openFiles))
          .number("AREAS", row -> Integer.toString(row.areas))
          .number("PAGES", row -> Long.toString(row.pages))
          .number("FAULTS", row -> Long.toString(row.faults))
          .number("ERRORS", row -> Long.toString(row.errors))
          .text("LAST ERROR", row -> row.lastError.isEmpty() ? "-" : row.lastError);

  /** The drivers behind a list of devices. */
  public static Table<DriverRow> table(List<DeviceInfo> devices) {
    Map<String, List<DeviceInfo>> byDriver = new LinkedHashMap<>();
    for (DeviceInfo device : devices) {
      String key = device.driver() + " " + device.driverVersion() + " " + device.present();
      byDriver.computeIfAbsent(key, unused -> new ArrayList<>()).add(device);
    }
    return LAYOUT.of(byDriver.values().stream().map(DriverRow::of).toList());
  }

  private static DriverRow of(List<DeviceInfo> devices) {
    DeviceInfo first = devices.getFirst();
    String lastError = "";
    for (DeviceInfo device : devices) {
      String error = device.lastError();
      lastError = error == null ? lastError : error;
    }
    return new DriverRow(
        first.driver(),
        first.driverVersion(),
        first.present(),
        devices.size(),
        devices.stream().mapToInt(DeviceInfo::openFiles).sum(),
        devices.stream().mapToInt(DeviceInfo::areas).sum(),
        devices.stream().mapToLong(DeviceInfo::faults).sum(),
        devices.stream().mapToLong(DeviceInfo::errors).sum(),
        // The kernel counts pages by bundle, so every device of a driver says the same.
        devices.stream().mapToLong(DeviceInfo::pages).max().orElse(0),
        lastError);
  }

  @Override
  public String text() {
    return LAYOUT.of(List.of(this)).text();
  }

  @Override
  public String toString() {
    return name;
  }
}
