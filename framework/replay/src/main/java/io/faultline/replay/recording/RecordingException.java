// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import java.io.IOException;
import java.nio.file.Path;

/** A file of a recording is not what the format says. The message is for the person who made it. */
public final class RecordingException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Longest piece of the offending text that a message quotes. */
  private static final int QUOTE = 60;

  private RecordingException(String message) {
    super(message);
  }

  /**
   * Something else stands where a file should go on.
   *
   * @param file the file
   * @param line the line, from 1
   * @param what what was expected
   * @param found the text that stands there
   */
  static RecordingException expected(Path file, int line, String what, String found) {
    String quoted = found.length() > QUOTE ? found.substring(0, QUOTE) + "…" : found;
    String instead = quoted.isEmpty() ? "the end of the line" : "'" + quoted + "'";
    return new RecordingException(
        "%s:%d: expected %s, found %s".formatted(file, line, what, instead));
  }

  /** A file as a whole is not usable. */
  static RecordingException of(Path file, String problem) {
    return new RecordingException(file + ": " + problem);
  }
}
