// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.felix.gogo.jline.Shell;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.DumbTerminal;

/**
 * Commands without a terminal. What a command returns is printed; a command that throws fails, with
 * its message on standard error.
 */
final class Batch {
  static final int FAILED = 1;
  static final int USAGE = 2;

  private static final long PATIENCE_MILLIS = 2_000;
  private static final long BETWEEN_LOOKS_NANOS = 5_000_000;

  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:,@%+-]+");

  private final CommandProcessor processor;
  // The process's own streams: System.out is Gogo's by now, which hands on to that of the session.
  private final InputStream in = new FileInputStream(FileDescriptor.in);
  private final PrintStream out = stream(FileDescriptor.out, System.out);
  private final PrintStream err = stream(FileDescriptor.err, System.err);

  Batch(CommandProcessor processor) {
    this.processor = processor;
  }

  private static PrintStream stream(FileDescriptor descriptor, PrintStream like) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(descriptor)), true, like.charset());
  }

  /** One command with its arguments, taken as they are. */
  int command(List<String> words) throws IOException {
    try (CommandSession session = session()) {
      String name = words.getFirst();
      if (!await(session, name)) {
        err.println("faultline: there is no command " + name + "; try: faultline help");
        return USAGE;
      }
      return execute(
          session, words.stream().map(Batch::quote).collect(Collectors.joining(" ")));
    }
  }

  /** A line of Gogo. */
  int line(String line) throws IOException {
    try (CommandSession session = session()) {
      return execute(session, line);
    }
  }

  /** Lines of Gogo, up to the first that fails. */
  int lines() throws IOException {
    try (CommandSession session = session()) {
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
      int status = 0;
      for (String line = reader.readLine();
          line != null && status == 0 && !line.strip().equals("exit");
          line = reader.readLine()) {
        status = execute(session, line);
      }
      return status;
    }
  }

  private CommandSession session() throws IOException {
    CommandSession session = processor.createSession(in, out, err);
    session.put("SCOPE", "faultline:gogo:felix:*");
    // Gogo's echo, cat and their like ask the session's terminal for its width.
    session.put(
        Shell.VAR_TERMINAL,
        new DumbTerminal("faultline", Terminal.TYPE_DUMB, in, out, out.charset()));
    return session;
  }

  private int execute(CommandSession session, String line) {
    try {
      Object result = session.execute(line);
      if (result != null) {
        String text = session.format(result, Converter.INSPECT).toString();
        out.print(text.endsWith("\n") ? text : text + "\n");
      }
      out.flush();
      return 0;
    } catch (Exception e) {
      out.flush();
      err.println("faultline: " + line(e));
      return FAILED;
    }
  }

  private static String line(Throwable thrown) {
    Throwable cause = thrown.getCause();
    if (thrown instanceof InvocationTargetException && cause != null) {
      return line(cause);
    }
    String message = thrown.getMessage();
    return message != null ? message : thrown.toString();
  }

  /**
   * A bundle that runs may still be about to register its commands: that takes no longer than all that was
   * done since the program began.
   */
  private static boolean await(CommandSession session, String name) {
    long upMillis = ManagementFactory.getRuntimeMXBean().getUptime();
    long end =
        System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(PATIENCE_MILLIS, upMillis));
    while (!exists(session, name)) {
      if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
    }
    return true;
  }

  private static boolean exists(CommandSession session, String name) {
    return session.get(".commands") instanceof Set<?> commands
        && commands.stream()
            .map(Object::toString)
            .anyMatch(c -> c.equals(name) || c.endsWith(":" + name));
  }

  /** The word as Gogo must read it to mean just this text. */
  private static String quote(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
