// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;

/**
 * Commands without a terminal. What a command returns is printed; a command that throws fails, with
 * its message on standard error.
 */
final class Batch {
  static final int FAILED = 1;
  static final int USAGE = 2;

  private static final long PATIENCE_NANOS = 2_000_000_000L;
  private static final long BETWEEN_LOOKS_NANOS = 5_000_000;

  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:,@%+-]+");

  private final CommandProcessor processor;

  Batch(CommandProcessor processor) {
    this.processor = processor;
  }

  /** One command with its arguments, taken as they are. */
  int command(List<String> words) {
    try (CommandSession session = session()) {
      String name = words.getFirst();
      if (!await(session, name)) {
        System.err.println("faultline: there is no command " + name + "; try: faultline help");
        return USAGE;
      }
      return execute(
          session, words.stream().map(Batch::quote).collect(Collectors.joining(" ")));
    }
  }

  /** A line of Gogo. */
  int line(String line) {
    try (CommandSession session = session()) {
      return execute(session, line);
    }
  }

  /** Lines of Gogo, up to the first that fails. */
  int lines(InputStream input) throws IOException {
    try (CommandSession session = session()) {
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
      int status = 0;
      for (String line = reader.readLine();
          line != null && status == 0 && !line.strip().equals("exit");
          line = reader.readLine()) {
        status = execute(session, line);
      }
      return status;
    }
  }

  private CommandSession session() {
    // Not System.out: Gogo puts a stream of its own there, which writes to the running command's
    // output, which is this session's: a command that prints would call itself for ever.
    CommandSession session =
        processor.createSession(
            System.in,
            new FileOutputStream(FileDescriptor.out),
            new FileOutputStream(FileDescriptor.err));
    session.put("SCOPE", "faultline:gogo:felix:*");
    return session;
  }

  private static int execute(CommandSession session, String line) {
    try {
      Object result = session.execute(line);
      if (result != null) {
        String text = session.format(result, Converter.INSPECT).toString();
        System.out.print(text.endsWith("\n") ? text : text + "\n");
      }
      System.out.flush();
      return 0;
    } catch (Exception e) {
      System.out.flush();
      System.err.println("faultline: " + (e.getMessage() != null ? e.getMessage() : e.toString()));
      return FAILED;
    }
  }

  /** A bundle that runs may still be about to register its commands. */
  private static boolean await(CommandSession session, String name) {
    long end = System.nanoTime() + PATIENCE_NANOS;
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
