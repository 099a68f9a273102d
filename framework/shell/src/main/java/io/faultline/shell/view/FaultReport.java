// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.FaultRecord;
import io.faultline.kernel.FaultResult;
import io.faultline.mm.FaultType;
import io.faultline.mm.Siginfo;
import io.faultline.shell.word.Address;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Page faults: totals, totals by device, and the last ones.
 *
 * @param totals of the kernel, or of one process
 * @param byDevice of the faults that drivers answered
 * @param last the last ones, newest first
 */
public record FaultReport(
    FaultCounts totals, Table<ByDevice> byDevice, Table<FaultRecord> last) implements View {
  private static final Table.Layout<ByDevice> BY_DEVICE =
      Table.Layout.<ByDevice>withEmpty("no driver has answered a fault")
          .text("DEVICE", ByDevice::device)
          .number("MINOR", row -> Long.toString(row.counts.minor()))
          .number("MAJOR", row -> Long.toString(row.counts.major()))
          .number("SIGBUS", row -> Long.toString(row.counts.sigbus()));

  private static final Table.Layout<FaultRecord> LAST =
      Table.Layout.<FaultRecord>withEmpty("no faults yet")
          .number("#", row -> Long.toString(row.sequence()))
          .number("PID", row -> Integer.toString(row.pid()))
          .number("ADDRESS", row -> new Address(row.address()).digits())
          .text("ACCESS", row -> row.access().name().toLowerCase(Locale.ROOT))
          .text("HANDLER", FaultRecord::handler)
          .text("RESULT", row -> result(row.result()))
          .number("MICROS", row -> String.format(Locale.ROOT, "%.1f", row.nanos() / 1000.0));

  /**
   * The faults that one device's driver answered.
   *
   * @param device its path
   * @param counts how many
   */
  public record ByDevice(String device, FaultCounts counts) {}

  /** The report of these numbers. */
  public static FaultReport of(
      FaultCounts totals, Map<String, FaultCounts> byDevice, List<FaultRecord> last) {
    List<ByDevice> rows =
        byDevice.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(entry -> new ByDevice(entry.getKey(), entry.getValue()))
            .toList();
    return new FaultReport(totals, BY_DEVICE.of(rows), LAST.of(last));
  }

  private static String result(FaultResult result) {
    Siginfo signal = result.signal();
    if (signal != null) {
      return signal.shortText();
    }
    return result.type() == FaultType.MAJOR ? "major" : "minor";
  }

  @Override
  public String text() {
    return """
        minor %d (copy on write %d)  major %d  MAPERR %d  ACCERR %d  SIGBUS %d

        %s

        %s"""
        .formatted(
            totals.minor(), totals.copyOnWrite(), totals.major(), totals.maperr(),
            totals.accerr(), totals.sigbus(), byDevice.text(), last.text());
  }

  @Override
  public String toString() {
    return text();
  }
}
