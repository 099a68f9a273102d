// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;

/**
 * The log file of a run, behind {@code java.util.logging}. The JDK's own logging it is because
 * Logback, SLF4J and the weaver that makes them work in OSGi are eleven bundles more, and half of the
 * time to the prompt.
 */
final class LogFile extends StreamHandler {
  private LogFile(OutputStream out) {
    super(out, new Line());
    setLevel(Level.ALL);
  }

  /**
   * Sends everything that is logged to a file and nothing to the terminal.
   *
   * @param configuration levels by logger
   * @throws IOException when one of the files cannot be opened
   */
  static void open(Path configuration, Path log) throws IOException {
    try (InputStream levels = Files.newInputStream(configuration)) {
      LogManager.getLogManager().readConfiguration(levels);
    }
    Logger.getLogger("").addHandler(new LogFile(Files.newOutputStream(log)));
  }

  /** Each record reaches the file at once: whoever looks into it after a crash finds all of them. */
  @Override
  public synchronized void publish(LogRecord record) {
    super.publish(record);
    flush();
  }

  private static final class Line extends Formatter {
    @Override
    public String format(LogRecord record) {
      StringBuilder line = new StringBuilder();
      line.append(
          "%1$tH:%1$tM:%1$tS.%1$tL %2$-7s %3$s: %4$s%n"
              .formatted(
                  record.getMillis(),
                  record.getLevel(),
                  record.getLoggerName(),
                  formatMessage(record)));
      Throwable thrown = record.getThrown();
      if (thrown != null) {
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        line.append(trace);
      }
      return line.toString();
    }
  }
}
