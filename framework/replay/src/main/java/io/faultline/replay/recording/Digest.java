// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * A checksum of a maps text.
 *
 * @param count its number of lines
 * @param crc CRC-32 of its bytes
 */
public record Digest(int count, int crc) {
  /** The digest of a text with one character a byte. */
  public static Digest of(String maps) {
    byte[] bytes = maps.getBytes(StandardCharsets.ISO_8859_1);
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, bytes.length);
    int lines = 0;
    for (byte b : bytes) {
      if (b == '\n') {
        lines++;
      }
    }
    return new Digest(lines, (int) crc.getValue());
  }

  /** {@code COUNT CRC32}, as {@code digests.txt} has it. */
  @Override
  public String toString() {
    return count + " " + HexFormat.of().toHexDigits(crc);
  }
}
