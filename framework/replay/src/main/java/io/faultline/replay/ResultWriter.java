// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.replay.recording.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes what a replay produced in the recordings' result format: {@code R} a result, {@code D} a
 * digest, {@code C} maps and {@code F} flags at a checkpoint.
 */
final class ResultWriter implements ReplayListener, AutoCloseable {
  private final Writer out;

  private ResultWriter(Writer out) {
    this.out = out;
  }

  /** Writes {@code DIRECTORY/NAME.results}. */
  static ResultWriter create(Path directory, String name) throws IOException {
    Files.createDirectories(directory);
    // File names are bytes, one character each.
    return new ResultWriter(
        Files.newBufferedWriter(
            directory.resolve(name + ".results"), StandardCharsets.ISO_8859_1));
  }

  @Override
  public void result(int line, String value) {
    write("R " + line + " " + ascii(value) + "\n");
  }

  @Override
  public void digest(int line, Digest digest) {
    write("D " + line + " " + digest + "\n");
  }

  @Override
  public void checkpoint(String name, String maps, String flags) {
    write("C " + name + " " + lines(maps) + "\n" + maps);
    write("F " + name + " " + lines(flags) + "\n" + flags);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void write(String text) {
    try {
      out.write(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String ascii(String value) {
    return StandardCharsets.ISO_8859_1.newEncoder().canEncode(value) ? value : "failed";
  }

  private static long lines(String text) {
    return text.chars().filter(c -> c == '\n').count();
  }
}
