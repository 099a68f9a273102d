// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.time.Instant;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.log.LogEntry;
import org.osgi.service.log.LogLevel;
import org.osgi.service.log.LogListener;
import org.osgi.service.log.LogReaderService;

/** Carries the OSGi log over into {@code java.util.logging}, where the launcher's log file is. */
@Component(service = {})
public final class LogForwarder implements LogListener {
  private final LogReaderService reader;

  /**
   * @param reader hands out the OSGi log's entries
   */
  @Activate
  public LogForwarder(@Reference LogReaderService reader) {
    this.reader = reader;
    reader.addLogListener(this);
  }

  @Deactivate
  void stop() {
    reader.removeLogListener(this);
  }

  @Override
  public void logged(LogEntry entry) {
    Logger logger = Logger.getLogger(entry.getLoggerName());
    Level level = level(entry.getLogLevel());
    if (logger.isLoggable(level)) {
      LogRecord record = new LogRecord(level, entry.getMessage());
      record.setLoggerName(logger.getName());
      record.setInstant(Instant.ofEpochMilli(entry.getTime()));
      Throwable thrown = entry.getException();
      if (thrown != null) {
        record.setThrown(thrown);
      }
      logger.log(record);
    }
  }

  private static Level level(LogLevel level) {
    return switch (level) {
      case AUDIT, INFO -> Level.INFO;
      case ERROR -> Level.SEVERE;
      case WARN -> Level.WARNING;
      case DEBUG -> Level.FINE;
      case TRACE -> Level.FINEST;
    };
  }
}
