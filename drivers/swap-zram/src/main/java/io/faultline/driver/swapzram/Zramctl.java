// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapzram;

import io.faultline.device.SwapDevice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code zramctl}, as util-linux has it. */
@Component(
    service = Zramctl.class,
    property = {"osgi.command.scope=faultline", "osgi.command.function=zramctl"})
public final class Zramctl {
  private static final String HEAD =
      "NAME        ALGORITHM  DISKSIZE    DATA   COMPR   TOTAL  MEM-LIMIT  MEM-USED    SAME    HUGE";
  private static final String ROW = "%-10s  %-9s  %8s  %6s  %6s  %6s  %9s  %8s  %6d  %6d";

  private final List<SwapDevice> devices;

  /** For all devices of this driver. */
  @Activate
  public Zramctl(
      @Reference(
          target = "(component.name=" + SwapZram.PID + ")",
          policyOption = ReferencePolicyOption.GREEDY) List<SwapDevice> devices) {
    this.devices = List.copyOf(devices);
  }

  /** The table, or the bare numbers. */
  @Descriptor("""
      compressed swap space: how much it holds and what that takes
      usage: zramctl [mm_stat]
      DATA is what the pages held come to, COMPR the same compressed, TOTAL the memory that takes, MEM-USED
      the most it has taken. SAME pages are one word over and over, HUGE ones do not compress. mm_stat prints
      the line of /sys/block/zram0/mm_stat, in bytes.
      example: zramctl
      example: zramctl mm_stat""")
  public String zramctl(String... words) {
    boolean bare = words.length == 1 && words[0].equals("mm_stat");
    if (words.length > 0 && !bare) {
      throw new IllegalArgumentException("zramctl: mm_stat or nothing; example: zramctl mm_stat");
    }
    List<SwapZram> found = new ArrayList<>();
    for (SwapDevice device : devices) {
      if (device instanceof SwapZram zram) {
        found.add(zram);
      }
    }
    found.sort(Comparator.comparing(SwapZram::name));
    return bare
        ? String.join("\n", found.stream().map(d -> d.stat().line()).toList())
        : String.join("\n",
            Stream.concat(Stream.of(HEAD), found.stream().map(Zramctl::row)).toList());
  }

  private static String row(SwapZram device) {
    MmStat stat = device.stat();
    return ROW.formatted(device.name(), "lz4", size(device.slots() * SwapZram.PAGE),
        size(stat.originalBytes()), size(stat.compressedBytes()), size(stat.usedBytes()),
        size(stat.limitBytes()), size(stat.mostBytes()), stat.samePages(), stat.hugePages());
  }

  /** At most four digits and a unit. */
  static String size(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < 5) {
      value /= 1024;
      unit++;
    }
    String number = String.format(Locale.ROOT, unit == 0 ? "%.0f" : "%.1f", value);
    return (number.endsWith(".0") ? number.substring(0, number.length() - 2) : number)
        + "BKMGTP".charAt(unit);
  }
}
