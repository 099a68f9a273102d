// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import io.faultline.shell.word.Address;
import io.faultline.shell.word.DataFormat;
import java.util.List;

/**
 * An integer in a process's memory. As a word it is its value in decimal.
 *
 * @param address where it stands
 * @param value as a signed number
 * @param format its size
 */
public record ValueRow(Address address, long value, DataFormat format) implements View {
  private static final Table.Layout<ValueRow> LAYOUT =
      Table.Layout.<ValueRow>withEmpty("no values")
          .number("ADDRESS", row -> row.address.digits())
          .number("VALUE", row -> Long.toString(row.value))
          .number("HEX", ValueRow::hex);

  /** A table of values. */
  public static Table<ValueRow> table(List<ValueRow> rows) {
    return LAYOUT.of(rows);
  }

  private String hex() {
    int digits = 2 * format.size();
    String all = "%016x".formatted(value);
    return "0x" + all.substring(16 - digits);
  }

  @Override
  public String text() {
    return value + " (" + hex() + ")";
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
