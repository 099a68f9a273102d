// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.kernel.DeviceInfo;
import java.util.List;

/**
 * A device node. As a word it is its path.
 *
 * @param info the kernel's snapshot
 */
public record DeviceRow(DeviceInfo info) implements View {
  private static final Table.Layout<DeviceRow> LAYOUT =
      Table.Layout.<DeviceRow>withEmpty(
          "no devices; drop a driver's jar into drivers/, or install one: install file:scullp.jar")
          .text("DEVICE", DeviceRow::toString)
          .text("NUMBER", row -> row.info.number().toString())
          .text("DRIVER", row -> row.info.driver())
          .text("STATE", row -> row.info.present() ? "present" : "gone")
          .number("FILES", row -> Integer.toString(row.info.openFiles()))
          .number("AREAS", row -> Integer.toString(row.info.areas()))
          .number("FAULTS", row -> Long.toString(row.info.faults()))
          .number("ERRORS", row -> Long.toString(row.info.errors()));

  /** A table of devices. */
  public static Table<DeviceRow> table(List<DeviceInfo> devices) {
    return LAYOUT.of(devices.stream().map(DeviceRow::new).toList());
  }

  @Override
  public String text() {
    return table(List.of(info)).text();
  }

  @Override
  public String toString() {
    return info.path();
  }
}
