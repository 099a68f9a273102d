// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.HostException;
import io.faultline.host.ptrace.ProcFiles;
import java.util.Set;

/**
 * What {@code /proc/PID} says of an address space at one moment.
 *
 * @param maps the maps
 * @param flags a line a mapping: its range and its VmFlags
 * @param smaps smaps, cut down to what recordings have
 * @param status the {@code Vm...} lines of status
 */
record Snapshot(String maps, String flags, String smaps, String status) {
  private static final Set<String> KEPT = Set.of("Rss", "Anonymous", "LazyFree", "AnonHugePages",
      "Locked", "THPeligible", "ProtectionKey", "VmFlags");

  /**
   * Looks.
   *
   * @param tid a thread that is alive, since the first one may have ended before the others
   */
  static Snapshot of(ProcFiles proc, int tid, String maps) throws HostException {
    String smaps = proc.read("task/" + tid + "/smaps");
    StringBuilder flags = new StringBuilder();
    StringBuilder kept = new StringBuilder();
    String range = "";
    for (String line : smaps.split("\n")) {
      int colon = line.indexOf(':');
      int blank = line.indexOf(' ');
      if (blank >= 0 && blank < colon || colon < 0) {
        range = line.substring(0, blank);
        kept.append(line).append('\n');
        continue;
      }
      String key = line.substring(0, colon);
      if (KEPT.contains(key)) {
        kept.append(line).append('\n');
      }
      if (key.equals("VmFlags")) {
        flags.append(range).append(' ').append(line.substring(colon + 1).strip()).append('\n');
      }
    }
    StringBuilder status = new StringBuilder();
    for (String line : proc.read("task/" + tid + "/status").split("\n")) {
      if (line.startsWith("Vm")) {
        status.append(line).append('\n');
      }
    }
    return new Snapshot(maps, flags.toString(), kept.toString(), status.toString());
  }
}
