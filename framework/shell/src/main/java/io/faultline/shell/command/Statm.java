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

/** {@code cat /proc/PID/statm}. */
@Component(service = Statm.class)
@GogoCommand(scope = Command.SCOPE, function = "statm")
public final class Statm extends ProcText {
  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public Statm(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print /proc/PID/statm: size, resident, shared, text, 0, data, 0, in pages
      usage: statm [PID]
      example: statm 1""")
  public @Nullable Object statm(CommandSession session, String... words)
      throws CommandException {
    return print(session, words, tasks, proc::statm);
  }
}
