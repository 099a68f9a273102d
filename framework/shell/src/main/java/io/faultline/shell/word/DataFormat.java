// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How bytes are shown and given: a dump, text, or little-endian integers. */
public enum DataFormat {
  /** Bytes in hex; shown as a dump with the characters beside it. */
  HEX(1),
  /** Characters. */
  TEXT(1),
  /** Characters up to a zero byte, which is written behind them. */
  STRING(1),
  BYTE(1),
  SHORT(2),
  INT(4),
  LONG(8);

  private static final List<DataFormat> ALL = List.of(values());

  private final int size;

  DataFormat(int size) {
    this.size = size;
  }

  /** Bytes in one element. */
  public int size() {
    return size;
  }

  /** Whether it is one of the integers. */
  public boolean integer() {
    return ordinal() >= BYTE.ordinal();
  }

  /** The names in lower case. */
  public static List<String> names() {
    return ALL.stream().map(DataFormat::toString).toList();
  }

  /** The format of that name, or null; {@code u8 u16 u32 u64} are the integers' other names. */
  public static @Nullable DataFormat find(String word) {
    String name = word.toLowerCase(Locale.ROOT);
    for (DataFormat format : ALL) {
      if (format.toString().equals(name)
          || format.integer() && name.equals("u" + 8 * format.size)) {
        return format;
      }
    }
    return null;
  }

  /**
   * Reads an integer of this size: decimal, negative or {@code 0x…}.
   *
   * @throws WordException when it is none, or does not fit
   */
  public long parseInteger(String word) throws WordException {
    long value;
    try {
      boolean unsignedHex = word.startsWith("0x") || word.startsWith("0X");
      value =
          unsignedHex
              ? Long.parseUnsignedLong(word.substring(2), 16)
              : size == 8 && !word.startsWith("-")
                  ? Long.parseUnsignedLong(word)
              : Long.parseLong(word);
    } catch (NumberFormatException notANumber) {
      throw new WordException("is not an integer: write 42, -1 or 0x2a");
    }
    if (size < 8) {
      long limit = 1L << (8 * size);
      if (value >= limit || value < -(limit >> 1)) {
        throw new WordException("does not fit into " + size + " byte" + (size == 1 ? "" : "s"));
      }
    }
    return value;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
