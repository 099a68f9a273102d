// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.Signal;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.Text;
import io.faultline.shell.word.WordException;
import java.util.Locale;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code kill(2)}. */
@Component(service = Kill.class)
@GogoCommand(scope = Command.SCOPE, function = "kill")
public final class Kill extends Command {
  private final Tasks tasks;

  /** Injected. */
  @Activate
  public Kill(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      end a process by a signal, SIGTERM if none is named
      usage: kill [PID] [SIGNAL]
      SIGNAL is SIGTERM, SIGKILL, SIGSEGV or SIGBUS, with or without SIG, or its number.
      example: kill 1
      example: kill 1 SIGKILL""")
  public @Nullable Object kill(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.processOrCurrent(tasks);
          Signal signal =
              arguments.hasNext() ? arguments.next("SIGNAL", Kill::signal) : Signal.SIGTERM;
          arguments.end();
          tasks.kill(task, signal);
          String end = task.end();
          return new Text("process " + task.pid() + (end == null ? "" : " " + end));
        });
  }

  private static Signal signal(String word) throws WordException {
    String name = word.startsWith("-") ? word.substring(1) : word;
    for (Signal signal : Signal.values()) {
      String full = signal.name();
      if (full.equals(name.toUpperCase(Locale.ROOT))
          || full.equals("SIG" + name.toUpperCase(Locale.ROOT))
          || Integer.toString(signal.number()).equals(name)) {
        return signal;
      }
    }
    throw new WordException("is no signal here: write SIGTERM, SIGKILL, SIGSEGV or SIGBUS");
  }
}
