// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.device.OpenFile;
import io.faultline.kernel.DeviceInfo;
import io.faultline.mm.Vma;
import io.faultline.shell.view.AreaRow;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes rows of areas, with the names that {@code /proc/PID/maps} gives and the drivers behind them. */
final class AreaRows {
  private static final Pattern MAPS_LINE =
      Pattern.compile("(?m)^([0-9a-f]+)-\\S+ \\S+ \\S+ \\S+ \\S+ *(.*)$");

  private final Map<Long, String> names = new HashMap<>();
  private final Map<String, String> drivers = new HashMap<>();

  AreaRows(String maps, List<DeviceInfo> devices) {
    Matcher line = MAPS_LINE.matcher(maps);
    while (line.find()) {
      names.put(Long.parseUnsignedLong(line.group(1), 16), line.group(2));
    }
    for (DeviceInfo device : devices) {
      drivers.put(device.path(), device.present() ? device.driver() : device.driver() + " (gone)");
    }
  }

  AreaRow of(Vma vma) {
    OpenFile file = vma.file();
    String driver = file == null ? "" : drivers.getOrDefault(file.inode().path(), "");
    return AreaRow.of(vma, names.getOrDefault(vma.start(), ""), driver);
  }
}
