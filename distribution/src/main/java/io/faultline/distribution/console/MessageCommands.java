// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * {@code dmesg}: what the kernel and the drivers have logged, the book's {@code printk}, without a
 * look for the log file.
 */
@Component(service = MessageCommands.class, immediate = true)
@GogoCommand(scope = "faultline", function = "dmesg")
public final class MessageCommands {
  private static final int KEPT = 1000;
  private static final int SHOWN = 20;

  private final Logger root = Logger.getLogger("");
  private final Instant start = ProcessHandle.current().info().startInstant().orElse(Instant.now());
  private final Deque<String> lines = new ArrayDeque<>();
  private final Listener listener = new Listener();

  /** Listens from now on. */
  @Activate
  public MessageCommands() {
    root.addHandler(listener);
  }

  @Deactivate
  void stop() {
    root.removeHandler(listener);
  }

  /** Shows the last messages. */
  @Descriptor("""
      show what the kernel and the drivers have logged
      usage: dmesg [COUNT]
      The last COUNT messages of this run, 20 if none is given, with the seconds since it began. A
      driver logs by System.getLogger("NAME"); stack traces are in the log file, in var/log.
      example: dmesg
      example: dmesg 100""")
  public String dmesg(String... words) {
    int count = words.length == 0 ? SHOWN : count(words[0]);
    synchronized (lines) {
      return lines.stream()
          .skip(Math.max(0, lines.size() - count))
          .collect(Collectors.joining(System.lineSeparator()));
    }
  }

  private static int count(String word) {
    if (!word.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException("dmesg: " + word + " is no number; example: dmesg 100");
    }
    return Integer.parseInt(word);
  }

  /** Keeps what is not the container's own. */
  private final class Listener extends Handler {
    private final SimpleFormatter formatter = new SimpleFormatter();

    @Override
    public void publish(LogRecord record) {
      String logger = String.valueOf(record.getLoggerName());
      if (isLoggable(record) && !isContainers(record, logger)) {
        String line = line(record, logger);
        synchronized (lines) {
          lines.addLast(line);
          if (lines.size() > KEPT) {
            lines.removeFirst();
          }
        }
      }
    }

    /** The framework's events and chatter; its warnings may be about a driver. */
    private static boolean isContainers(LogRecord record, String logger) {
      return record.getLevel().intValue() < Level.WARNING.intValue()
          && (logger.startsWith("Events.") || logger.startsWith("org.apache.felix"));
    }

    private String line(LogRecord record, String logger) {
      Duration since = Duration.between(start, record.getInstant());
      String message = formatter.formatMessage(record).lines().findFirst().orElse("");
      Throwable thrown = record.getThrown();
      return String.format(
          Locale.ROOT, "[%5d.%06d] %s: %s%s", since.toSeconds(), since.toNanosPart() / 1000, logger,
          message, thrown == null ? "" : ": " + thrown);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
