// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * Bytes with their addresses, in the form of {@code hexdump -C}; rows that repeat are shown as one
 * {@code *}.
 */
public final class HexDump implements View {
  private static final int ROW = 16;
  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  private final long address;
  private final byte[] bytes;

  /**
   * @param address of the first byte
   * @param bytes what stands there
   */
  public HexDump(long address, byte[] bytes) {
    this.address = address;
    this.bytes = bytes.clone();
  }

  /** The bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public String text() {
    if (bytes.length == 0) {
      return "no bytes";
    }
    StringBuilder text = new StringBuilder();
    boolean starred = false;
    for (int at = 0; at < bytes.length; at += ROW) {
      boolean last = at + ROW >= bytes.length;
      if (at > 0 && !last
          && Arrays.equals(bytes, at, at + ROW, bytes, at - ROW, at)) {
        text.append(starred ? "" : "*\n");
        starred = true;
        continue;
      }
      starred = false;
      row(text, at, Math.min(ROW, bytes.length - at));
    }
    return text.toString().stripTrailing();
  }

  private void row(StringBuilder text, int at, int length) {
    String left = HEX.formatHex(bytes, at, at + Math.min(length, ROW / 2));
    String right = length > ROW / 2 ? HEX.formatHex(bytes, at + ROW / 2, at + length) : "";
    text.append("%08x  %-23s  %-23s  |".formatted(address + at, left, right));
    for (int i = at; i < at + length; i++) {
      text.append(bytes[i] >= ' ' && bytes[i] < 127 ? (char) bytes[i] : '.');
    }
    text.append("|\n");
  }

  /** The digits alone, which {@code poke … hex} and {@code write … hex} read. */
  @Override
  public String toString() {
    return HEX.formatHex(bytes);
  }
}
