// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Tasks;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code cat /proc/PID/status}. */
@Component(service = Status.class)
@GogoCommand(scope = Command.SCOPE, function = "status")
public final class Status extends ProcText {
  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public Status(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print the lines of /proc/PID/status that have a meaning here, as the kernel writes them
      usage: status [PID]
      example: status 1
      example: status 1 | grep Rss""")
  public @Nullable Object status(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, tasks, proc::status);
  }
}
