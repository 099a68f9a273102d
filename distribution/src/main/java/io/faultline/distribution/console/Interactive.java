// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.console;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.felix.gogo.jline.Shell;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.jline.reader.LineReader;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/** Gogo's shell in a terminal: completion, history, colours. Ends at {@code exit} or Ctrl-D. */
final class Interactive {
  private final BundleContext context;
  private final CommandProcessor processor;

  Interactive(BundleContext context, CommandProcessor processor) {
    this.context = context;
    this.processor = processor;
  }

  int run() throws IOException {
    try (Terminal terminal =
        TerminalBuilder.builder()
            .name("faultline")
            .system(true)
            .nativeSignals(true)
            .signalHandler(Terminal.SignalHandler.SIG_IGN)
            .build();
        CommandSession session =
            QuietSession.open(
                processor, terminal.input(), terminal.output(), terminal.output())) {
      // Gogo reads etc/PROFILE below gosh.home; ours lies in conf/ itself.
      Shell shell = new Shell(new Host(), processor, "../gosh_profile");
      // They go with the bundle, which goes when this is done.
      GogoCommands.add(context, shell, "gosh", "sh", "source", "help");
      GogoCommands.add(context, new Exit(shell), "exit", "quit");
      session.put(Shell.VAR_TERMINAL, terminal);
      session.put(
          LineReader.HISTORY_FILE, Path.of(context.getProperty("faultline.var"), "history"));
      shell.gosh(session, new String[] {"--login", "--nohistory", "--noshutdown"});
      return 0;
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the shell failed: " + e, e);
    }
  }

  /** Ends the shell. Public, because Gogo calls its methods by reflection. */
  public static final class Exit {
    private final Shell shell;

    Exit(Shell shell) {
      this.shell = shell;
    }

    @Descriptor("ends the shell and the kernel with it; so does Ctrl-D")
    public void exit() {
      shell.stop();
    }

    @Descriptor("the same as exit")
    public void quit() {
      shell.stop();
    }
  }

  private final class Host implements Shell.Context {
    @Override
    public @Nullable String getProperty(String name) {
      return name.equals("gosh.home")
          ? context.getProperty("faultline.home") + "/conf/"
          : context.getProperty(name);
    }

    @Override
    public void exit() {
      // --noshutdown: the launcher stops the framework once run() is back.
    }
  }
}
