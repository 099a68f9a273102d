// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code digests.txt}: the digest of maps after a line of {@code calls.strace}. */
public final class Digests {
  private final Map<Integer, Digest> byLine;

  private Digests(Map<Integer, Digest> byLine) {
    this.byLine = byLine;
  }

  static Digests read(Path file) throws IOException {
    LineScanner line = LineScanner.open(file);
    Map<Integer, Digest> byLine = new LinkedHashMap<>();
    while (line.next()) {
      int event = (int) line.digits("a line number", 10);
      line.take(" ");
      int count = (int) line.digits("a number of lines", 10);
      line.take(" ");
      int crc = (int) line.digits("a CRC-32 in hexadecimal", 16);
      if (!line.atEnd()) {
        throw line.expected("the end of the line");
      }
      if (byLine.put(event, new Digest(count, crc)) != null) {
        throw line.wrongLine("each line number once");
      }
    }
    return new Digests(byLine);
  }

  /** The digest after a line, or null when none was recorded there. */
  public @Nullable Digest after(int line) {
    return byLine.get(line);
  }

  /** How many there are. */
  public int size() {
    return byLine.size();
  }
}
