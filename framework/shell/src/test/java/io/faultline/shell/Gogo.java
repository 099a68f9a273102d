// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell;

import io.faultline.shell.view.FaultlineConverter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.gogo.jline.Posix;
import org.apache.felix.gogo.jline.Procedural;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;

/** A real Gogo session with no container round it. */
public final class Gogo implements AutoCloseable {
  private final CommandProcessorImpl processor = new CommandProcessorImpl(null);
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final CommandSession session;

  public Gogo() {
    processor.addConverter(new FaultlineConverter());
    processor.addCommand("gogo", new Procedural(), "each");
    processor.addCommand("gogo", new Posix(processor), "grep");
    processor.addCommand("gogo", new Posix(processor), "wc");
    processor.addCommand("gogo", new Posix(processor), "echo");
    processor.addCommand("gogo", new OtherHelp(), "help");
    PrintStream out = new PrintStream(console, true, StandardCharsets.UTF_8);
    session = processor.createSession(new ByteArrayInputStream(new byte[0]), out, out);
    session.put("SCOPE", "faultline:gogo:*");
  }

  /** Adds a command under its own name, as the whiteboard would. */
  public Gogo with(Command command) {
    String name = Manual.of(command.getClass()).name();
    processor.addCommand(Command.SCOPE, command, name.equals("_default") ? "default" : name);
    if (command instanceof CommandSessionListener listener) {
      processor.addListener(listener);
    }
    return this;
  }

  /** Adds commands of our scope that are not ours. */
  public void add(Object target, String... functions) {
    for (String function : functions) {
      processor.addCommand(Command.SCOPE, target, function);
    }
  }

  /** Adds a listener, as the whiteboard would. */
  public void listen(CommandSessionListener listener) {
    processor.addListener(listener);
  }

  /** What a line returns. */
  public @Nullable Object run(String line) throws Exception {
    return session.execute(line);
  }

  /** What a person sees after typing a line: output, then the result, or the error's one line. */
  public String type(String line) {
    console.reset();
    String result;
    try {
      Object value = session.execute(line);
      result = value == null ? "" : session.format(value, Converter.INSPECT).toString();
    } catch (Exception e) {
      result = e.toString();
    }
    return (console.toString(StandardCharsets.UTF_8) + result).stripTrailing();
  }

  public CommandSession session() {
    return session;
  }

  @Override
  public void close() {
    session.close();
    processor.stop();
  }

  /** As gogo.jline and felix.command bring one along. */
  public static final class OtherHelp {
    public String help(String name) {
      return "Gogo's help for " + name;
    }
  }
}
