// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;

/**
 * What the log has to say against a bundle, from now on. A driver whose constructor throws, or whose
 * device's name is taken, runs on as a bundle: only the log knows better. All logs meet in {@code
 * java.util.logging}: the kernel's, and Declarative Services' by way of the console's forwarder.
 *
 * <p>Thread-safe.
 */
final class Complaints extends Handler {
  private final Logger root = Logger.getLogger("");
  private final Queue<LogRecord> serious = new ConcurrentLinkedQueue<>();

  private Complaints() {
    setLevel(Level.WARNING);
  }

  static Complaints listen() {
    Complaints complaints = new Complaints();
    complaints.root.addHandler(complaints);
    return complaints;
  }

  @Override
  public void publish(LogRecord record) {
    if (isLoggable(record)) {
      serious.add(record);
    }
  }

  /** The first complaint about the bundle, or null as long as there is none. */
  @Nullable String about(Bundle bundle) {
    String name = bundle.getSymbolicName();
    return first(message -> isAbout(name, message));
  }

  /** The same about this version alone: another one of its name may be at work. */
  @Nullable String aboutVersion(Bundle bundle) {
    String name = bundle.getSymbolicName();
    String version = bundle.getVersion().toString();
    return first(
        message -> message.contains("driver " + name + " " + version)
            || message.contains("bundle " + name + ":" + version));
  }

  /** The first complaint with that name in it, or null as long as there is none. */
  @Nullable String naming(String device) {
    return first(message -> message.contains(device));
  }

  private @Nullable String first(Predicate<String> is) {
    return serious.stream()
        .filter(r -> is.test(String.valueOf(r.getMessage())))
        .findFirst()
        .map(Complaints::text)
        .orElse(null);
  }

  /** As the kernel and as Declarative Services name it. */
  private static boolean isAbout(String name, String message) {
    return message.contains("driver " + name + " ") || message.contains("bundle " + name + ":");
  }

  private static String text(LogRecord record) {
    Throwable cause = record.getThrown();
    if (cause == null) {
      return record.getMessage();
    }
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.toString();
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    root.removeHandler(this);
  }
}
