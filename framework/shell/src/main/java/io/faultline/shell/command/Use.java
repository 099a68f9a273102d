// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.CurrentProcess;
import io.faultline.shell.view.Text;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Chooses the process that a session works with. */
@Component(service = Use.class)
@GogoCommand(scope = Command.SCOPE, function = "use")
public final class Use extends Command {
  private final Tasks tasks;

  /** Injected. */
  @Activate
  public Use(@Reference Tasks tasks) {
    this.tasks = tasks;
  }

  /** The command. */
  @Descriptor("""
      choose a process, so that commands need no PID; the prompt shows it
      usage: use [PID|none]
      Commands then leave the PID out, and write @PID for another process. Alone it says which is chosen.
      example: use 1
      example: use none""")
  public @Nullable Object use(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          if (!arguments.hasNext()) {
            Integer pid = CurrentProcess.of(session);
            return new Text(pid == null ? "no process is chosen" : "process " + pid + " is chosen");
          }
          if (arguments.take("none")) {
            arguments.end();
            CurrentProcess.clear(session);
            return null;
          }
          Task task = arguments.processIfNamed(tasks);
          if (task == null) {
            throw arguments.wrong("PID", arguments.word("PID"),
                "is neither a process number nor none");
          }
          arguments.end();
          CurrentProcess.choose(session, task.pid());
          return null;
        });
  }
}
