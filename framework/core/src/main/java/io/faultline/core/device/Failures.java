// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

/** Turns what a driver threw into text. The methods of an exception are the driver's code too. */
final class Failures {
  private static final int FRAMES = 24;

  private Failures() {}

  /** One line; must be called while the call is still watched. */
  static String line(Throwable thrown) {
    try {
      String text = thrown.toString();
      return text == null ? thrown.getClass().getName() : text.lines().findFirst().orElse(text);
    } catch (Throwable again) {
      return thrown.getClass().getName();
    }
  }

  /** What a thread is doing. */
  static String trace(Thread thread) {
    StringBuilder text = new StringBuilder();
    append(text, thread.getStackTrace());
    return text.toString();
  }

  private static void append(StringBuilder text, StackTraceElement[] frames) {
    for (int i = 0; i < frames.length && i < FRAMES; i++) {
      text.append("  at ").append(frames[i]).append('\n');
    }
  }

  /** Where it was thrown and what caused it; must be called while the call is still watched. */
  static String trace(Throwable thrown) {
    StringBuilder text = new StringBuilder();
    try {
      Throwable t = thrown;
      for (int depth = 0; t != null && depth < 4; depth++, t = t.getCause()) {
        text.append(depth == 0 ? "" : "caused by ").append(line(t)).append('\n');
        append(text, t.getStackTrace());
      }
    } catch (Throwable again) {
      text.append("  (its stack trace fails as well)\n");
    }
    return text.toString();
  }
}
